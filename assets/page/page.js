// Draws the curves of a page: lines over a common axis, values under the pointer or, with the arrow keys, under a cursor.
"use strict";
const SIZE = { width: 420, height: 220, right: 10, top: 8, bottom: 24 };
const LETTER = 6.4;
const COLOURS = 8;

const element = (name, attributes = {}, ...children) => {
  const isSvg = ["svg", "g", "path", "line", "text", "circle", "rect"].includes(name);
  const made = isSvg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const draw = (chart, axis, place, colours) => {
  const colour = chart.series.map((series, number) => colours.get(series.name) ?? number);
  const shown = chart.series.map(() => true);
  const keys = element("div", { class: "keys" });
  const svg = element("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, tabindex: 0, role: "img", "aria-label": `${chart.title} over ${axis}; arrow keys move a cursor` });
  place.append(element("h3", {}, chart.title), svg, keys);
  const labels = chart.series.map((series, number) => {
    const value = element("span");
    const bar = element("i", { style: `background: var(--s${colour[number] % COLOURS})` });
    const button = element("button", { type: "button", "aria-pressed": "true" }, bar, series.name + " ", value);
    button.onclick = () => { shown[number] = !shown[number]; button.setAttribute("aria-pressed", shown[number]); paint(); };
    keys.append(button);
    return value;
  });
  const xs = [...new Set(chart.series.flatMap((series) => series.points.map((point) => point[0])))].sort((a, b) => a - b);
  let cursor = null, scale = null, cross = null;

  const mark = () => {
    cross.replaceChildren();
    chart.series.forEach((series, number) => {
      const finite = series.points.filter((point) => point[1] !== null);
      const point = cursor === null ? finite[finite.length - 1] : series.points.find((point) => point[0] === xs[cursor]);
      labels[number].textContent = point ? told(point[1]) : "";
      if (cursor === null || !shown[number] || !point || point[1] === null) return;
      cross.append(element("circle", { cx: scale.x(point[0]), cy: scale.y(point[1]), r: 3.5, fill: `var(--s${colour[number] % COLOURS})` }));
    });
    if (cursor === null) return;
    const x = scale.x(xs[cursor]);
    const end = x > SIZE.width - 90;
    cross.prepend(element("line", { class: "cross", x1: x, x2: x, y1: SIZE.top, y2: SIZE.height - SIZE.bottom }));
    cross.append(element("text", { x: x + (end ? -5 : 5), y: SIZE.top + 9, "text-anchor": end ? "end" : "start" }, `${axis} ${told(xs[cursor])}`));
  };

  const paint = () => {
    svg.replaceChildren();
    const points = chart.series.flatMap((series, number) => shown[number] ? series.points : []).filter((point) => point[1] !== null);
    const range = (values) => values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
    const [left, right] = range(xs);
    let [low, high] = range(points.map((point) => point[1]));
    const most = Math.max(Math.abs(low), Math.abs(high));
    if (high - low <= 1e-9 * most) [low, high] = most > 0 ? [low - most / 10, high + most / 10] : [-1, 1];
    const marks = ticks(low, high);
    const names = marks.all.map((y) => labelled(y, marks.step, most));
    const margin = 12 + LETTER * Math.max(2, ...names.map((name) => name.length));
    const wide = SIZE.width - margin - SIZE.right, tall = SIZE.height - SIZE.top - SIZE.bottom;
    scale = {
      x: (x) => margin + (right > left ? (x - left) / (right - left) : 0.5) * wide,
      y: (y) => SIZE.top + (1 - (y - low) / (high - low)) * tall,
    };
    marks.all.forEach((y, number) => {
      svg.append(element("line", { class: "grid", x1: margin, x2: SIZE.width - SIZE.right, y1: scale.y(y), y2: scale.y(y) }));
      svg.append(element("text", { x: margin - 6, y: scale.y(y) + 4, "text-anchor": "end" }, names[number]));
    });
    for (const x of ticks(left, right, 1).all) svg.append(element("text", { x: scale.x(x), y: SIZE.height - 7, "text-anchor": "middle" }, told(x)));
    chart.series.forEach((series, number) => {
      if (!shown[number]) return;
      const ink = `var(--s${colour[number] % COLOURS})`, dash = colour[number] >= COLOURS ? "5 3" : "none";
      let path = "", begun = false;
      for (const [x, y] of series.points) {
        if (y !== null) path += `${begun ? "L" : "M"}${scale.x(x).toFixed(1)} ${scale.y(y).toFixed(1)}`;
        begun = y !== null;
      }
      svg.append(element("path", { d: path, fill: "none", stroke: ink, "stroke-width": 1.8, "stroke-linejoin": "round", "stroke-dasharray": dash }));
      if (series.points.length < 2) for (const [x, y] of series.points) if (y !== null) svg.append(element("circle", { cx: scale.x(x), cy: scale.y(y), r: 3, fill: ink }));
    });
    cross = element("g");
    svg.append(cross);
    mark();
  };

  const nearest = (event) => {
    const box = svg.getBoundingClientRect();
    const at = (event.clientX - box.left) / box.width * SIZE.width;
    return xs.reduce((best, x, number) => Math.abs(scale.x(x) - at) < Math.abs(scale.x(xs[best]) - at) ? number : best, 0);
  };
  const move = (to) => { cursor = to; mark(); };
  svg.onpointermove = svg.onpointerdown = (event) => move(nearest(event));
  svg.onpointerleave = svg.onblur = () => move(null);
  svg.onkeydown = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    move(Math.max(0, Math.min(xs.length - 1, (cursor ?? (by > 0 ? -1 : xs.length)) + by)));
  };
  paint();
};

for (const place of document.querySelectorAll(".charts")) {
  const { axis, charts } = JSON.parse(place.querySelector("script").textContent);
  // What several charts have keeps its colour.
  const counts = new Map();
  for (const series of charts.flatMap((chart) => chart.series)) counts.set(series.name, (counts.get(series.name) ?? 0) + 1);
  const shared = [...counts].filter(([, count]) => count > 1).map(([name], number) => [name, number]);
  const colours = new Map(shared);
  for (const chart of charts) {
    const card = element("div", { class: "chart" });
    place.append(card);
    draw(chart, axis, card, colours);
  }
}
