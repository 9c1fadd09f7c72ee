// The plane of the codes: test codes by class, and a cross that one drags to see what a place decodes to.
"use strict";

// `at` is the cross in coordinates of the plane; `view` the part of the plane that is shown.
const plane = { at: [0, 0], view: null, isDragging: false };

const className = (label) => state.summary.data.classes[label] ?? String(label);

// All codes with some margin, the same scale on both axes: distances in the plane are distances of codes.
const viewOf = ({ plane: points, rows }, width, height) => {
  let [left, right, low, high] = [0, 0, 0, 0];
  for (let row = 0; row < rows; row++) {
    left = Math.min(left, points[2 * row]);
    right = Math.max(right, points[2 * row]);
    low = Math.min(low, points[2 * row + 1]);
    high = Math.max(high, points[2 * row + 1]);
  }
  const scale = 1.08 * Math.max((right - left) / width, (high - low) / height) || 1 / width;
  return { scale, width, height, middle: [(left + right) / 2, (low + high) / 2] };
};

const onScreen = ({ scale, width, height, middle }, u, v) => [width / 2 + (u - middle[0]) / scale, height / 2 - (v - middle[1]) / scale];
const onPlane = ({ scale, width, height, middle }, x, y) => [middle[0] + (x - width / 2) * scale, middle[1] - (y - height / 2) * scale];

const paintCodes = () => {
  const codes = pictures.now?.codes, canvas = byId("codes");
  if (!codes || canvas.clientWidth === 0) return;
  const { context, width, height } = sharp(canvas);
  plane.view = viewOf(codes, width, height);
  const [x0, y0] = onScreen(plane.view, 0, 0).map(Math.round);
  context.strokeStyle = colour("line");
  context.strokeRect(-1, y0 + 0.5, width + 2, height * 2);
  context.strokeRect(x0 + 0.5, -1, width * 2, height + 2);
  const { classes } = state.summary.data;
  const inks = Array.from({ length: COLOURS }, (_, number) => colour(`s${number}`));
  context.globalAlpha = 0.75;
  for (let row = 0; row < codes.rows; row++) {
    const [x, y] = onScreen(plane.view, codes.plane[2 * row], codes.plane[2 * row + 1]);
    context.fillStyle = inks[classes.length ? codes.labels[row] % COLOURS : 0];
    context.beginPath();
    context.arc(x, y, codes.rows > 800 ? 1.7 : 2.2, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
  canvas.setAttribute("aria-label", `Codes of ${thousands(codes.rows)} test images in the plane of ${codes.axes_named}${classes.length ? `, coloured by ${counted(classes.length, "class", "classes")}` : ""}`);
  const keys = classes.slice(0, 24).map((name, label) => element("span", {}, element("i", { class: "dot", style: `background: var(--s${label % COLOURS})` }), name));
  if (classes.length > 24) keys.push(element("span", {}, `and ${classes.length - 24} more`));
  byId("codes-keys").replaceChildren(...keys);
  paintCross();
};

const nearestClass = (codes) => {
  let best = -1, least = Infinity;
  for (let row = 0; row < codes.rows; row++) {
    const distance = (codes.plane[2 * row] - plane.at[0]) ** 2 + (codes.plane[2 * row + 1] - plane.at[1]) ** 2;
    if (distance < least) [best, least] = [row, distance];
  }
  return best < 0 || !state.summary.data.classes.length ? null : className(codes.labels[best]);
};

const paintCross = () => {
  const codes = pictures.now?.codes;
  if (!codes || !plane.view) return;
  const { context, width, height } = sharp(byId("plane"));
  const [x, y] = onScreen(plane.view, ...plane.at);
  context.strokeStyle = colour("ink");
  context.lineWidth = 1;
  context.beginPath();
  for (const [fromX, fromY, toX, toY] of [[0, y, x - 7, y], [x + 7, y, width, y], [x, 0, x, y - 7], [x, y + 7, x, height]]) {
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
  }
  context.globalAlpha = 0.35;
  context.stroke();
  context.globalAlpha = 1;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, 7, 0, 2 * Math.PI);
  context.stroke();
  const near = nearestClass(codes);
  const where = `${told(plane.at[0])}, ${told(plane.at[1])}${near === null ? "" : `; nearest test code: ${near}`}`;
  byId("plane-told").textContent = where;
  byId("plane").setAttribute("aria-label", `Plane of ${codes.axes_named}. The cross is at ${where}`);
};

const decodePlane = coalesced(async () => {
  const codes = pictures.now?.codes;
  const canDecode = Boolean(codes && !state.summary.is_cluster);
  showIf(canDecode, "plane", "plane-beside");
  if (!canDecode) return;
  const width = codes.mean.length;
  const code = codes.mean.map((mean, at) => mean + plane.at[0] * codes.axes[at] + plane.at[1] * codes.axes[width + at]);
  const { made } = await client.ask("decode", { code });
  showImage(byId("plane-made"), made, imageShape(), `Image decoded at ${plane.at.map(told).join(", ")}`);
});

const moveCross = (u, v) => {
  const { view } = plane;
  if (!view) return;
  const [left, high] = onPlane(view, 0, 0), [right, low] = onPlane(view, view.width, view.height);
  plane.at = [Math.max(left, Math.min(right, u)), Math.max(low, Math.min(high, v))];
  repaint(paintCross);
  decodePlane();
};

const bindCodes = () => {
  const canvas = byId("plane");
  const follow = (event) => {
    const box = canvas.getBoundingClientRect();
    if (plane.view) moveCross(...onPlane(plane.view, event.clientX - box.left, event.clientY - box.top));
  };
  canvas.onpointerdown = (event) => {
    plane.isDragging = true;
    canvas.setPointerCapture(event.pointerId);
    follow(event);
  };
  canvas.onpointermove = (event) => { if (plane.isDragging) follow(event); };
  canvas.onpointerup = canvas.onpointercancel = () => { plane.isDragging = false; };
  canvas.onkeydown = (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1], Home: [0, 0] }[event.key];
    if (!by || !plane.view) return;
    event.preventDefault();
    const step = plane.view.width * plane.view.scale * (event.shiftKey ? 0.1 : 0.02);
    if (event.key === "Home") moveCross(0, 0);
    else moveCross(plane.at[0] + by[0] * step, plane.at[1] + by[1] * step);
  };
  keepPainted(paintCodes);
};
