// An image that the visitor draws, its code and what the network rebuilds from the code.
"use strict";

const PIXEL = 10;
const LEAST_SIDE = 8;

// `ink` is the drawing, PIXEL times as fine as an image, so that strokes have soft edges; `pixels` what the network sees.
const drawing = { ink: document.createElement("canvas"), shape: null, pixels: null, pen: null, from: null, isPenDown: false, isTouched: false, sample: 0, code: null, told: "" };

// An empty sheet for images of this network.
const fitDrawing = () => {
  const shape = imageShape();
  const isDrawable = shape.height >= LEAST_SIDE && shape.width >= LEAST_SIDE;
  showIf(isDrawable, "draw-section");
  const isSame = drawing.shape && ["height", "width", "channels"].every((side) => drawing.shape[side] === shape[side]);
  if (!isDrawable || isSame) return;
  drawing.shape = shape;
  drawing.ink.width = shape.width * PIXEL;
  drawing.ink.height = shape.height * PIXEL;
  drawing.pen = [shape.width / 2, shape.height / 2];
  clearDrawing();
};

const clearDrawing = () => {
  const context = drawing.ink.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#000";
  context.fillRect(0, 0, drawing.ink.width, drawing.ink.height);
  drawing.isTouched = false;
  readDrawing();
};

// The mean of the ink under each pixel.
const readDrawing = () => {
  const { height, width, channels } = drawing.shape;
  const { data } = drawing.ink.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, width * PIXEL, height * PIXEL);
  const pixels = new Float32Array(height * width * channels);
  for (let y = 0; y < height * PIXEL; y++) {
    for (let x = 0; x < width * PIXEL; x++) {
      const to = (Math.floor(y / PIXEL) * width + Math.floor(x / PIXEL)) * channels, from = 4 * (y * width * PIXEL + x);
      for (let channel = 0; channel < channels; channel++) pixels[to + channel] += data[from + (channels === 1 ? 0 : channel % 3)];
    }
  }
  drawing.pixels = pixels.map((sum) => sum / (255 * PIXEL * PIXEL));
  paintDrawing();
  lookAtDrawing();
};

const paintDrawing = () => {
  const canvas = byId("draw"), { shape } = drawing;
  showImage(canvas, drawing.pixels, shape, drawing.isTouched ? "Your drawing" : "Empty sheet to draw on");
  if (document.activeElement !== canvas || !canvas.matches(":focus-visible")) return;
  // The pen of the keyboard: full while it draws.
  const context = canvas.getContext("2d"), [x, y] = drawing.pen.map(Math.floor);
  context.fillStyle = context.strokeStyle = colour("mark");
  if (drawing.isPenDown) context.fillRect(x, y, 1, 1);
  else context.strokeRect(x - 0.5, y - 0.5, 2, 2);
};

const strokeTo = (to) => {
  const context = drawing.ink.getContext("2d"), { width, height } = drawing.shape;
  context.strokeStyle = "#fff";
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = 0.085 * Math.max(width, height) * PIXEL;
  context.beginPath();
  context.moveTo(...(drawing.from ?? to).map((place) => place * PIXEL));
  context.lineTo(...to.map((place) => place * PIXEL));
  context.stroke();
  drawing.from = to;
  drawing.isTouched = true;
  readDrawing();
};

// A test image instead of a drawing of one's own: the next one each time.
const takeSample = () => {
  const found = pictures.now?.reconstructions;
  if (!found) return;
  const { height, width, channels } = drawing.shape;
  const image = document.createElement("canvas");
  showImage(image, found.originals.subarray((drawing.sample % found.rows) * height * width * channels), drawing.shape, "");
  const context = drawing.ink.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 0, 0, width * PIXEL, height * PIXEL);
  drawing.sample += 1;
  drawing.isTouched = true;
  readDrawing();
};

const lookAtDrawing = coalesced(async () => {
  if (!state.summary || !drawing.pixels || byId("draw-section").hidden) return;
  const { code, made, probabilities } = await client.ask("look", { pixels: drawing.pixels });
  drawing.code = { values: probabilities ?? code, isShare: Boolean(probabilities) };
  byId("draw-code-head").textContent = probabilities ? "Probability of each cluster" : `Code, ${counted(code.length, "neuron")}`;
  showIf(Boolean(made), "draw-made-box");
  if (made) showImage(byId("draw-made"), made, drawing.shape, `Its reconstruction, mean squared error ${told(meanSquare(drawing.pixels, made))}`);
  drawing.told = made ? `Mean squared error ${told(meanSquare(drawing.pixels, made))}.` : "";
  byId("draw-told").textContent = drawing.told;
  repaint(paintCode);
});

const paintCode = () => {
  const canvas = byId("draw-code");
  if (!drawing.code || canvas.clientWidth === 0) return;
  const { values, isShare } = drawing.code;
  const { context, width, height } = sharp(canvas);
  const low = Math.min(0, ...values), high = isShare ? 1 : Math.max(0, ...values) || (low < 0 ? 0 : 1);
  const bottom = height - 16, y = (value) => 6 + (high - value) / (high - low || 1) * (bottom - 6);
  const left = 34, wide = (width - left) / values.length;
  context.font = "11px system-ui, sans-serif";
  context.strokeStyle = colour("line");
  context.fillStyle = colour("faint");
  context.textAlign = "right";
  for (const value of new Set([low, 0, high])) {
    context.strokeRect(left, Math.round(y(value)) + 0.5, width - left, 0);
    context.fillText(told(Number(value.toPrecision(2))), left - 5, y(value) + 4);
  }
  context.textAlign = "center";
  const every = Math.ceil(18 / wide);
  values.forEach((value, number) => {
    const x = left + number * wide;
    context.fillStyle = colour(value < 0 ? "negative" : "positive");
    context.fillRect(x + 0.12 * wide, Math.min(y(value), y(0)), 0.76 * wide, Math.max(0.5, Math.abs(y(value) - y(0))));
    context.fillStyle = colour("faint");
    if (number % every === 0) context.fillText(String(number + 1), x + wide / 2, height - 3);
  });
  canvas.setAttribute("aria-label", `${byId("draw-code-head").textContent}: ${[...values].map(told).join(", ")}`);
};

const hoverCode = (event) => {
  if (!drawing.code) return;
  const box = byId("draw-code").getBoundingClientRect(), { values, isShare } = drawing.code;
  const number = Math.floor((event.clientX - box.left - 34) / ((box.width - 34) / values.length));
  byId("draw-told").textContent = number in values ? `${isShare ? "Cluster" : "Neuron"} ${number + 1}: ${told(values[number])}.` : drawing.told;
};

const pressPen = (event) => {
  const { width, height } = drawing.shape;
  if (event.key === "Delete" || event.key === "Backspace") clearDrawing();
  else if (event.key === " ") {
    drawing.isPenDown = !drawing.isPenDown;
    drawing.from = null;
    if (drawing.isPenDown) strokeTo(drawing.pen);
  } else {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!by) return;
    drawing.pen = [Math.max(0.5, Math.min(width - 0.5, drawing.pen[0] + by[0])), Math.max(0.5, Math.min(height - 0.5, drawing.pen[1] + by[1]))];
    if (drawing.isPenDown) strokeTo(drawing.pen);
  }
  event.preventDefault();
  paintDrawing();
};

const bindDrawing = () => {
  const canvas = byId("draw");
  const under = (event) => {
    const box = canvas.getBoundingClientRect(), { width, height } = drawing.shape;
    return [(event.clientX - box.left) / box.width * width, (event.clientY - box.top) / box.height * height];
  };
  let isDrawing = false;
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    isDrawing = true;
    drawing.from = null;
    strokeTo(under(event));
  };
  canvas.onpointermove = (event) => { if (isDrawing) strokeTo(under(event)); };
  canvas.onpointerup = canvas.onpointercancel = () => { isDrawing = false; drawing.from = null; };
  canvas.onkeydown = pressPen;
  canvas.onfocus = paintDrawing;
  canvas.onblur = () => { drawing.isPenDown = false; paintDrawing(); };
  byId("draw-clear").onclick = clearDrawing;
  byId("draw-sample").onclick = takeSample;
  byId("draw-code").onpointermove = hoverCode;
  byId("draw-code").onpointerleave = () => { byId("draw-told").textContent = drawing.told; };
  keepPainted(paintCode);
};
