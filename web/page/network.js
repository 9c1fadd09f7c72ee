// The network, a circle per neuron: which take part, which entropy has switched off, and what is lost without some.
"use strict";

const ACTIVE = 0.001;
const LARGEST_DRAWN = 1024;

const network = { units: [], removed: new Map(), outcome: null };

const isDrawn = (layer) => layer.is_removable && layer.units <= LARGEST_DRAWN;

const sharesOf = (layer) => {
  const shares = state.shares?.[layer];
  return shares && shares.length === state.summary.layers[layer].units ? shares : null;
};

const activeIn = (layer) => sharesOf(layer)?.reduce((count, share) => count + (share >= ACTIVE ? 1 : 0), 0) ?? null;

// Circles of a layer in a grid of `lines` rows, column after column.
const cellSize = (units) => (units <= 128 ? 12 : units <= 256 ? 10 : 8);

// The title of a layer in two short lines: "linear 64" over "relu".
const titled = (title) => {
  const [first, ...rest] = title.split(/,\s*/);
  return [first, rest.join(", ")];
};

const unitCircle = (layer, unit, x, y, size) => {
  const circle = drawn("circle", { class: "unit", role: "button", tabindex: "-1", cx: x, cy: y, r: 0.38 * size, "data-layer": layer, "data-unit": unit });
  network.units.push({ layer, unit, x, y, circle });
  return circle;
};

const dataTitle = () => {
  const { height, width, channels } = state.summary.data;
  return height > 1 ? `${width} × ${height}${channels > 1 ? ` × ${channels}` : ""}` : String(width * channels);
};

// From left to right, layers as columns; false if the page is too narrow for that.
const layAcross = (svg, wide) => {
  const tall = 252, top = 8, boxWide = 64;
  const { layers, data } = state.summary;
  const ratio = Math.max(0.2, Math.min(3, data.height / data.width));
  const parts = [{ title: "input", under: dataTitle(), wide: boxWide }, ...layers.map((layer, number) => {
    if (!isDrawn(layer)) return { title: titled(layer.title)[0], under: `${thousands(layer.units)} neurons`, wide: boxWide, layer, number };
    const size = cellSize(layer.units), columns = Math.ceil(layer.units * size / tall), lines = Math.ceil(layer.units / columns);
    return { layer, number, size, lines, wide: columns * size };
  })];
  const room = parts.map((part) => Math.max(part.wide, 96));
  const gap = (wide - room.reduce((sum, each) => sum + each, 0)) / Math.max(1, parts.length - 1);
  if (gap < 4) return false;
  let at = 0;
  parts.forEach((part, number) => {
    const middle = at + room[number] / 2;
    part.middle = middle;
    const left = middle - part.wide / 2, below = top + tall + 18;
    if (part.size) {
      const offset = top + (tall - part.lines * part.size) / 2;
      part.height = part.lines * part.size;
      for (let unit = 0; unit < part.layer.units; unit++) {
        const column = Math.floor(unit / part.lines), line = unit % part.lines;
        svg.append(unitCircle(part.number, unit, left + (column + 0.5) * part.size, offset + (line + 0.5) * part.size, part.size));
      }
      const [first, second] = titled(part.layer.title);
      svg.append(drawn("text", { x: middle, y: below, class: part.layer.is_code ? "strong" : "" }, part.layer.is_code ? `code: ${first}` : first));
      svg.append(drawn("text", { x: middle, y: below + 14 }, second));
      svg.append(drawn("text", { x: middle, y: below + 28, class: "strong", "data-count": part.number }));
    } else {
      part.height = boxWide * ratio;
      const end = number === 0 ? "originals" : number === parts.length - 1 ? "made" : null;
      const place = { x: left, y: top + (tall - part.height) / 2, width: boxWide, height: part.height };
      svg.append(drawn("rect", { class: "box", ...place }));
      if (end) svg.append(drawn("image", { ...place, "data-end": end }));
      svg.append(drawn("text", { x: middle, y: below }, part.title), drawn("text", { x: middle, y: below + 14 }, part.under));
    }
    at += room[number] + gap;
  });
  // A band through the middle, at each layer as high as the share of it that takes part: where it is narrow is the bottleneck.
  svg.prepend(drawn("path", { class: "sheet", "data-band": JSON.stringify(parts.map((part) => [part.middle, part.height, part.size ? part.number : null])), "data-centre": top + tall / 2 }));
  svg.setAttribute("viewBox", `0 0 ${wide} ${top + tall + 52}`);
  svg.style.height = `${top + tall + 52}px`;
  return true;
};

// From top to bottom, a line of text and lines of circles per layer, large enough for a finger.
const layDown = (svg, wide) => {
  let y = 14;
  const line = (title, text, isStrong, count) => {
    svg.append(drawn("text", { x: 2, y, class: `start ${isStrong ? "strong" : ""}` }, title));
    svg.append(drawn("text", { x: wide - 2, y, class: "end", ...(count !== null && { "data-count": count }) }, text));
    y += 8;
  };
  line("input", dataTitle(), false, null);
  y += 16;
  state.summary.layers.forEach((layer, number) => {
    line(`${layer.is_code ? "code: " : ""}${layer.title}`, isDrawn(layer) ? "" : `${thousands(layer.units)} neurons`, layer.is_code, isDrawn(layer) ? number : null);
    if (isDrawn(layer)) {
      const size = layer.units <= 128 ? 18 : 13, inLine = Math.floor(wide / size);
      for (let unit = 0; unit < layer.units; unit++) svg.append(unitCircle(number, unit, (unit % inLine + 0.5) * size, y + (Math.floor(unit / inLine) + 0.5) * size, size));
      y += Math.ceil(layer.units / inLine) * size;
    }
    y += 20;
  });
  svg.setAttribute("viewBox", `0 0 ${wide} ${y - 16}`);
  svg.style.height = `${y - 16}px`;
};

const layNetwork = () => {
  const svg = byId("network"), wide = svg.clientWidth;
  if (!state.summary || wide === 0) return;
  network.units = [];
  svg.replaceChildren();
  if (!layAcross(svg, wide)) { svg.replaceChildren(); network.units = []; layDown(svg, wide); }
  // One circle is reached with Tab, the others from there with the arrow keys.
  network.units[0]?.circle.setAttribute("tabindex", "0");
  showShares();
  showEnds();
};

// A test image at the input and what is made of it at the output.
const showEnds = () => {
  const found = pictures.now?.reconstructions;
  for (const image of byId("network").querySelectorAll("[data-end]")) {
    if (!found) { image.removeAttribute("href"); continue; }
    const canvas = document.createElement("canvas");
    showImage(canvas, found[image.dataset.end], imageShape(), "");
    image.setAttribute("href", canvas.toDataURL());
  }
};

const unitTold = (layer, unit) => {
  const share = sharesOf(layer)?.[unit];
  const name = `Layer ${layer + 1} (${state.summary.layers[layer].title}), neuron ${unit + 1}`;
  if (share === undefined) return `${name}: measured after the next epoch`;
  return `${name}: ${share < ACTIVE ? "switched off, " : ""}${shared(share)} of the layer’s differences`;
};

const showShares = () => {
  const highest = state.summary.layers.map((_, layer) => sharesOf(layer)?.reduce((most, share) => Math.max(most, share), 0) ?? 0);
  for (const { layer, unit, circle } of network.units) {
    const share = sharesOf(layer)?.[unit], isGone = network.removed.has(`${layer}/${unit}`);
    const kind = isGone ? "gone" : share === undefined ? "unknown" : share < ACTIVE ? "off" : "";
    circle.setAttribute("class", `unit ${kind}`);
    circle.setAttribute("fill-opacity", kind === "" ? (0.3 + 0.7 * Math.sqrt(share / (highest[layer] || 1))).toFixed(3) : kind === "unknown" ? 0.5 : 1);
    circle.setAttribute("aria-pressed", isGone);
    circle.setAttribute("aria-label", `${unitTold(layer, unit)}${isGone ? "; removed" : ""}`);
  }
  const counts = [];
  for (const text of byId("network").querySelectorAll("[data-count]")) {
    const layer = Number(text.dataset.count), active = activeIn(layer), { units } = state.summary.layers[layer];
    text.textContent = active === null ? `${units} neurons` : `${active} of ${units} on`;
    counts.push(`${state.summary.layers[layer].title}: ${text.textContent}`);
  }
  byId("network").setAttribute("aria-label", `Network. ${counts.join("; ")}. Arrow keys move between neurons, Enter removes one or puts it back.`);
  showBand();
};

const showBand = () => {
  const band = byId("network").querySelector("[data-band]");
  showIf(Boolean(band), "band-told");
  if (!band) return;
  const centre = Number(band.dataset.centre), parts = JSON.parse(band.dataset.band);
  const edge = parts.map(([x, height, layer]) => {
    const active = layer === null ? null : activeIn(layer);
    const share = active === null ? 1 : active / state.summary.layers[layer].units;
    return [x, Math.max(2, share * height) / 2];
  });
  const upper = edge.map(([x, half]) => `${x.toFixed(1)} ${(centre - half).toFixed(1)}`), lower = edge.map(([x, half]) => `${x.toFixed(1)} ${(centre + half).toFixed(1)}`);
  band.setAttribute("d", `M${upper.join("L")}L${lower.reverse().join("L")}Z`);
};

const forgetRemoved = () => {
  network.removed.clear();
  network.outcome = null;
  showRemoved();
};

const showRemoved = () => {
  const { removed, outcome } = network, count = removed.size;
  showIf(count > 0, "restore", "removed-picture");
  if (count === 0) byId("removed-told").textContent = "Click a neuron, or focus it and press Enter, to see what the network loses without it. Training is not touched.";
  else if (!outcome) byId("removed-told").textContent = `Measuring without ${counted(count, "neuron")}.`;
  else {
    const change = outcome.before ? ` (${outcome.after >= outcome.before ? "+" : "−"}${told(Math.abs(100 * (outcome.after / outcome.before - 1)))} %)` : "";
    byId("removed-told").textContent = `Without ${counted(count, "neuron")}: ${outcome.name} ${told(outcome.before)} → ${told(outcome.after)}${change}.`;
  }
  paintRemoved();
};

const paintRemoved = () => {
  const found = network.removed.size && network.outcome?.reconstructions;
  showIf(Boolean(found), "removed-picture");
  if (found) paintPairs(byId("removed-picture"), found, "Without the removed neurons");
};

const measureRemoved = coalesced(async () => {
  if (!network.removed.size) return;
  const outcome = await client.ask("without", { units: [...network.removed.values()] });
  network.outcome = outcome;
  showRemoved();
});

const toggleUnit = (layer, unit) => {
  const key = `${layer}/${unit}`;
  if (!network.removed.delete(key)) network.removed.set(key, [layer, unit]);
  showShares();
  if (!network.removed.size) network.outcome = null;
  showRemoved();
  measureRemoved();
};

// The nearest neuron in the direction of an arrow key.
const nextUnit = (from, [dx, dy]) => {
  let best = null, least = Infinity;
  for (const unit of network.units) {
    const along = (unit.x - from.x) * dx + (unit.y - from.y) * dy, across = Math.abs((unit.x - from.x) * dy) + Math.abs((unit.y - from.y) * dx);
    if (along > 0.5 && along + 3 * across < least) [best, least] = [unit, along + 3 * across];
  }
  return best;
};

const bindNetwork = () => {
  const svg = byId("network");
  const under = (event) => network.units.find(({ circle }) => circle === event.target);
  const tell = (event) => { const found = under(event); if (found) byId("network-told").textContent = `${unitTold(found.layer, found.unit)}.`; };
  svg.addEventListener("pointerover", tell);
  svg.addEventListener("focusin", tell);
  svg.onclick = (event) => { const found = under(event); if (found) toggleUnit(found.layer, found.unit); };
  svg.onkeydown = (event) => {
    const from = under(event);
    if (!from) return;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Enter" || event.key === " ") toggleUnit(from.layer, from.unit);
    else if (way) {
      const to = nextUnit(from, way);
      if (to) { from.circle.setAttribute("tabindex", "-1"); to.circle.setAttribute("tabindex", "0"); to.circle.focus(); }
    } else return;
    event.preventDefault();
  };
  byId("restore").onclick = () => { forgetRemoved(); showShares(); };
  keepPainted(layNetwork, paintRemoved);
};
