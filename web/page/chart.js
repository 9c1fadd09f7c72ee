// Curves over epochs on a canvas: values under the pointer or, with the arrow keys, under a cursor.
"use strict";

const LETTER = 6.4;

// Marks of a logarithmic axis: the coarsest round numbers of which there are three, else evenly stepped ones.
const logTicks = (low, high) => {
  for (const factors of [[1], [1, 3], [1, 2, 5]]) {
    const all = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      for (const factor of factors) {
        const at = factor * 10 ** power;
        if (at >= low && at <= high) all.push(at);
      }
    }
    if (all.length >= 3) return all.map((at) => [at, told(Number(at.toPrecision(3)))]);
  }
  const { all, step } = ticks(low, high);
  return all.map((at) => [at, labelled(at, step, high)]);
};

// `series` are { name, colour, points: [[x, y]], isFaint }, ordered by x; those that are faint are drawn without marks.
class Chart {
  constructor(canvas, keys, axis) {
    Object.assign(this, { canvas, keys, axis, series: [], hidden: new Set(), cursor: null, title: "", isLog: false, right: 1, labels: [] });
    canvas.onpointermove = canvas.onpointerdown = (event) => this.move(this.under(event));
    canvas.onpointerleave = canvas.onblur = () => this.move(null);
    canvas.onkeydown = (event) => this.press(event);
  }

  set({ title, series, right, isLog = false, least = null }) {
    const names = (all) => all.map(({ name, colour }) => name + colour).join();
    const isNew = names(series) !== names(this.series);
    Object.assign(this, { title, series, right, isLog, least });
    if (isNew) this.layKeys();
    this.paint();
  }

  layKeys() {
    this.labels = this.series.map(() => element("span"));
    this.keys.replaceChildren(...this.series.map(({ name, colour: ink, isFaint }, number) => {
      const bar = element("i", { style: `background: var(--${ink});${isFaint ? " opacity: .4" : ""}` });
      const button = element("button", { type: "button", "aria-pressed": !this.hidden.has(name) }, bar, `${name} `, this.labels[number]);
      button.onclick = () => {
        if (!this.hidden.delete(name)) this.hidden.add(name);
        button.setAttribute("aria-pressed", !this.hidden.has(name));
        this.paint();
      };
      return button;
    }));
  }

  shown() {
    return this.series.filter(({ name }) => !this.hidden.has(name));
  }

  range() {
    const values = this.shown().flatMap(({ points, isFaint }) => {
      const all = points.map((point) => point[1]).filter(Number.isFinite);
      if (!isFaint || all.length < 50) return all;
      // Single batches jump: what few of them say does not set the scale.
      all.sort((a, b) => a - b);
      return [all[Math.floor(0.005 * all.length)], all[Math.floor(0.995 * all.length)]];
    });
    let low = values.length ? Math.min(...values) : 0, high = values.length ? Math.max(...values) : 1;
    if (this.least !== null) low = Math.min(low, this.least);
    const most = Math.max(Math.abs(low), Math.abs(high));
    if (high - low <= 1e-9 * most) [low, high] = most > 0 ? [low - most / 10, high + most / 10] : [-1, 1];
    return { low, high, isLog: this.isLog && low > 0 };
  }

  paint() {
    const { context, width, height } = sharp(this.canvas);
    if (width === 0) return;
    const { low, high, isLog } = this.range();
    const of = isLog ? Math.log : (value) => value;
    const list = isLog ? logTicks(low, high) : (() => {
      const { all, step } = ticks(low, high);
      return all.map((at) => [at, labelled(at, step, Math.max(Math.abs(low), Math.abs(high)))]);
    })();
    const left = 12 + LETTER * Math.max(2, ...list.map(([, name]) => name.length));
    const box = { left, right: width - 10, top: 8, bottom: height - 24 };
    this.scale = {
      box,
      x: (x) => left + (x / (this.right || 1)) * (box.right - left),
      y: (y) => box.bottom - ((of(y) - of(low)) / (of(high) - of(low))) * (box.bottom - box.top),
    };
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = colour("faint");
    context.strokeStyle = colour("line");
    context.lineWidth = 1;
    context.textAlign = "right";
    for (const [at, name] of list) {
      const y = Math.round(this.scale.y(at)) + 0.5;
      context.beginPath();
      context.moveTo(left, y);
      context.lineTo(box.right, y);
      context.stroke();
      context.fillText(name, left - 6, y + 4);
    }
    context.textAlign = "center";
    for (const x of ticks(0, this.right, 1).all) context.fillText(told(x), this.scale.x(x), height - 7);
    context.save();
    context.beginPath();
    context.rect(left - 4, box.top - 4, box.right - left + 8, box.bottom - box.top + 8);
    context.clip();
    for (const series of this.shown()) this.line(context, series);
    context.restore();
    this.mark(context);
    this.tell();
  }

  line(context, { points, colour: ink, isFaint }) {
    context.strokeStyle = context.fillStyle = colour(ink);
    context.globalAlpha = isFaint ? 0.4 : 1;
    context.lineWidth = isFaint ? 1 : 1.8;
    context.lineJoin = "round";
    context.beginPath();
    for (const [x, y] of points) if (Number.isFinite(y)) context.lineTo(this.scale.x(x), this.scale.y(y));
    context.stroke();
    if (!isFaint && points.length < 60) for (const point of points) this.dot(context, point, 2.2);
    context.globalAlpha = 1;
  }

  dot(context, [x, y], size) {
    if (!Number.isFinite(y)) return;
    context.beginPath();
    context.arc(this.scale.x(x), this.scale.y(y), size, 0, 2 * Math.PI);
    context.fill();
  }

  // The point of a series at the cursor: the nearest one, if it is near at all.
  at({ points, isFaint }) {
    let best = null;
    for (const point of points) if (!best || Math.abs(point[0] - this.cursor) < Math.abs(best[0] - this.cursor)) best = point;
    return best && Math.abs(best[0] - this.cursor) <= (isFaint ? this.right / 20 : 0.5) ? best : null;
  }

  mark(context) {
    this.series.forEach((series, number) => {
      const point = this.cursor === null ? series.points.at(-1) : this.at(series);
      this.labels[number].textContent = point ? told(point[1]) : "";
      if (this.cursor === null || !point || this.hidden.has(series.name)) return;
      context.fillStyle = colour(series.colour);
      this.dot(context, point, 3.5);
    });
    if (this.cursor === null) return;
    const { box } = this.scale, x = this.scale.x(this.cursor);
    context.strokeStyle = context.fillStyle = colour("faint");
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(x, box.top);
    context.lineTo(x, box.bottom);
    context.stroke();
    context.setLineDash([]);
    const isAtEnd = x > box.right - 80;
    context.textAlign = isAtEnd ? "right" : "left";
    context.fillText(`${this.axis} ${told(this.cursor)}`, x + (isAtEnd ? -5 : 5), box.top + 9);
  }

  tell() {
    const last = this.series.filter(({ points }) => points.length).map(({ name, points }) => `${name} ${told(points.at(-1)[1])}`);
    this.canvas.setAttribute("aria-label", `${this.title} over epochs: ${last.join(", ") || "nothing yet"}. Arrow keys move a cursor.`);
  }

  under(event) {
    const { left, right } = this.scale.box;
    const share = (event.clientX - this.canvas.getBoundingClientRect().left - left) / (right - left);
    const x = Math.max(0, Math.min(1, share)) * this.right;
    const whole = this.stops().find((stop) => Math.abs(this.scale.x(stop) - this.scale.x(x)) < 6);
    return whole ?? x;
  }

  stops() {
    const all = this.series.some(({ isFaint, points }) => !isFaint && points.length) ? this.series.filter(({ isFaint }) => !isFaint) : this.series;
    return [...new Set(all.flatMap(({ points }) => points.map((point) => point[0])))].sort((a, b) => a - b);
  }

  press(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    const stops = this.stops();
    if (by === undefined || !stops.length) return;
    event.preventDefault();
    const now = this.cursor === null ? (by > 0 ? -1 : stops.length) : stops.findLastIndex((stop) => stop <= this.cursor);
    this.move(stops[Math.max(0, Math.min(stops.length - 1, now + by))]);
  }

  move(to) {
    if (to === this.cursor || !this.scale) return;
    this.cursor = to;
    this.paint();
  }
}
