// Pictures that follow each epoch: reconstructions, features, members of clusters, and the codes of codes.js.
"use strict";

const pictures = { now: null, canvas: document.createElement("canvas") };

// How values become colours: images from 0 to 1, weights from negative to positive around the paper's own colour.
const asImage = () => (value) => { const grey = 255 * Math.max(0, Math.min(1, value)); return [grey, grey, grey]; };
const asSigned = (most) => {
  const [low, zero, high] = ["negative", "zero", "positive"].map(channelsOf);
  return (value) => {
    const share = Math.min(1, Math.abs(value) / most), end = value < 0 ? low : high;
    return zero.map((channel, number) => channel + share * (end[number] - channel));
  };
};

// A row that is no image: a bar for each of its values, from 0 to 1, or to either side of 0.
const drawBars = (context, values, offset, count, place, isSigned) => {
  const own = Array.from({ length: count }, (_, at) => values[offset + at]);
  const most = isSigned ? Math.max(...own.map(Math.abs)) || 1 : 1, wide = place.width / count;
  const base = place.y + place.height * (isSigned ? 0.5 : 1), high = place.height * (isSigned ? 0.5 : 1);
  context.fillStyle = colour("zero");
  context.fillRect(place.x, place.y, place.width, place.height);
  own.forEach((value, at) => {
    const end = base - high * Math.max(isSigned ? -1 : 0, Math.min(1, value / most));
    context.fillStyle = colour(value < 0 ? "negative" : "positive");
    context.fillRect(place.x + (at + 0.1) * wide, Math.min(base, end), Math.max(0.5, 0.8 * wide), Math.max(0.5, Math.abs(base - end)));
  });
  context.strokeStyle = colour("line");
  context.strokeRect(place.x + 0.5, place.y + 0.5, place.width - 1, place.height - 1);
};

// How high an image is that is so wide, or the bars of a row.
const tallOf = ({ height, width }, wide) => (height === 1 ? 0.5 * wide : wide * height / width);

// Draws one image of `values` from `offset` on, `size` wide. Three channels of an image are its colours; others are averaged.
const drawTile = (context, values, offset, { height, width, channels }, place, paint, isSigned = false) => {
  if (height === 1) return drawBars(context, values, offset, width * channels, place, isSigned);
  const tile = pictures.canvas;
  tile.width = width;
  tile.height = height;
  const inner = tile.getContext("2d", { willReadFrequently: true });
  const pixels = inner.createImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    const from = offset + at * channels;
    let rgb;
    if (channels === 3 && !isSigned) {
      rgb = [0, 1, 2].map((channel) => paint(values[from + channel])[0]);
    } else {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) sum += values[from + channel];
      rgb = paint(sum / channels);
    }
    pixels.data.set([...rgb, 255], 4 * at);
  }
  inner.putImageData(pixels, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(tile, place.x, place.y, place.width, place.height);
};

const imageShape = () => {
  const { height, width, channels } = state.summary.data;
  return { height, width, channels };
};

// A whole canvas for one image.
const showImage = (canvas, values, shape, label) => {
  // Bars are drawn, pixels are enlarged by the page.
  canvas.width = shape.height === 1 ? 256 : shape.width;
  canvas.height = tallOf(shape, canvas.width);
  canvas.style.aspectRatio = `${canvas.width} / ${canvas.height}`;
  drawTile(canvas.getContext("2d"), values, 0, shape, { x: 0, y: 0, width: canvas.width, height: canvas.height }, asImage());
  canvas.setAttribute("aria-label", label);
};

const meanSquare = (first, second) => first.reduce((sum, value, at) => sum + (value - second[at]) ** 2, 0) / first.length;

// Images over what was made of them, as many side by side as fit a readable size.
const paintPairs = (canvas, { rows, originals, made }, label) => {
  const shape = imageShape(), size = shape.height * shape.width * shape.channels;
  const wide = canvas.clientWidth, gap = 4;
  if (wide === 0) return;
  const most = Math.max(shape.height === 1 ? 96 : 24, Math.min(96, (wide + gap) / rows - gap));
  const inRow = Math.min(rows, Math.floor((wide + gap) / (most + gap)) || 1);
  const tall = Math.max(6, tallOf(shape, most)), lines = Math.ceil(rows / inRow);
  const line = 2 * tall + gap + 8;
  const { context } = sharp(canvas, lines * line - 8);
  for (let row = 0; row < rows; row++) {
    const x = (row % inRow) * (most + gap), y = Math.floor(row / inRow) * line;
    drawTile(context, originals, row * size, shape, { x, y, width: most, height: tall }, asImage());
    drawTile(context, made, row * size, shape, { x, y: y + tall + gap, width: most, height: tall }, asImage());
  }
  canvas.setAttribute("aria-label", `${label}: ${rows} test images and what is made of them, mean squared error ${told(meanSquare(originals, made))}`);
};

const paintReconstructions = () => {
  const found = pictures.now?.reconstructions;
  if (found) paintPairs(byId("reconstructions"), found, "Reconstructions");
};

const paintFeatures = () => {
  const features = pictures.now?.features, canvas = byId("features");
  if (!features || canvas.clientWidth === 0) return;
  const { count, height, width, channels, values } = features;
  const gap = 3, size = height * width * channels, wide = canvas.clientWidth;
  const least = height * width <= 100 && height > 1 ? 22 : wide > 600 ? 40 : 34;
  const lines = Math.ceil(count / Math.max(1, Math.floor((wide + gap) / (least + gap)))), inRow = Math.ceil(count / lines);
  const tile = Math.min(56, (wide + gap) / inRow - gap), tall = tallOf(features, tile);
  const { context } = sharp(canvas, lines * (tall + gap) - gap);
  for (let number = 0; number < count; number++) {
    // Each on its own scale: features of neurons that are switched off are faint, not empty.
    const own = values.subarray(number * size, (number + 1) * size);
    const most = own.reduce((highest, value) => Math.max(highest, Math.abs(value)), 0) || 1;
    const place = { x: (number % inRow) * (tile + gap), y: Math.floor(number / inRow) * (tall + gap), width: tile, height: tall };
    drawTile(context, values, number * size, { height, width, channels }, place, asSigned(most), true);
    context.strokeStyle = colour("line");
    context.strokeRect(place.x + 0.5, place.y + 0.5, tile - 1, tall - 1);
  }
  canvas.setAttribute("aria-label", `Weights of the first layer: ${counted(count, "feature")} of ${width} × ${height}`);
};

const paintClusters = () => {
  const clusters = pictures.now?.clusters, canvas = byId("clusters");
  if (!clusters || canvas.clientWidth === 0) return;
  const shape = imageShape(), wide = canvas.clientWidth, gap = 4, head = 92;
  const shown = Math.max(1, ...clusters.members.map((members) => members.length));
  const inRow = wide >= 640 ? 2 : 1, block = wide / inRow;
  const tile = Math.min(36, (block - head - 16) / shown - gap), tall = tallOf(shape, tile);
  const line = Math.max(tall, 16) + 6;
  const { context } = sharp(canvas, Math.ceil(clusters.count / inRow) * line);
  context.font = "12px system-ui, sans-serif";
  for (let number = 0; number < clusters.count; number++) {
    const x = (number % inRow) * block, y = Math.floor(number / inRow) * line;
    context.fillStyle = colour("ink");
    context.fillText(`${number + 1}`, x, y + tall / 2 + 4);
    context.fillStyle = colour("faint");
    context.fillText(thousands(clusters.counts[number]), x + 28, y + tall / 2 + 4);
    clusters.members[number].forEach((values, at) => {
      drawTile(context, values, 0, shape, { x: x + head + at * (tile + gap), y, width: tile, height: tall }, asImage());
    });
  }
  const counts = [...clusters.counts].map((count, number) => `${number + 1}: ${count}`).join(", ");
  canvas.setAttribute("aria-label", `${counted(clusters.count, "cluster")} with their number of test images: ${counts}`);
};

// Those of another network may have another shape.
const forgetPictures = () => {
  pictures.now = null;
  plane.at = [0, 0];
};

const refreshPictures = coalesced(async () => {
  if (!state.summary || state.phase === "failed") return;
  pictures.now = await client.ask("pictures");
  const { reconstructions, features, codes, clusters } = pictures.now;
  showIf(Boolean(reconstructions), "reconstructions-card");
  showIf(Boolean(features), "features-card");
  showIf(Boolean(clusters), "clusters-card");
  showIf(Boolean(reconstructions || features || clusters), "pictures");
  showIf(Boolean(codes), "codes-section");
  showIf(Boolean(reconstructions), "draw-sample");
  repaint(paintReconstructions, paintFeatures, paintClusters, paintCodes, showEnds);
  decodePlane();
  lookAtDrawing();
  measureRemoved();
});

const bindPictures = () => keepPainted(paintReconstructions, paintFeatures, paintClusters);
