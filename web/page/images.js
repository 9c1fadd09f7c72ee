// Image files as rows of pixels: cropped to a square in the middle, resized, grey or in colour.
"use strict";

const MOST_IMAGES = 20000;

const SIDES = ["train", "val", "valid", "validation", "test"];

// Folders that all files share, and the sides of a data set, say nothing of classes; the first level below them does, if every
// file has one.
const classesOf = (paths) => {
  const parts = paths.map((path) => path.split("/"));
  let level = 0;
  const isNoClass = (part) => part.length > level + 1 && (part[level] === parts[0][level] || SIDES.includes(part[level].toLowerCase()));
  while (parts.every(isNoClass)) level += 1;
  return parts.every((part) => part.length > level + 1) ? parts.map((part) => part[level]) : null;
};

const nameOf = (paths) => {
  const first = paths[0].split("/");
  return first.length > 1 && paths.every((path) => path.startsWith(`${first[0]}/`)) ? first[0] : "images";
};

const decodeImage = async (file, side, channels, canvas) => {
  const image = await createImageBitmap(file);
  const crop = Math.min(image.width, image.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  // What an image lets through is seen over white, as in the program itself.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, side, side);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, (image.width - crop) / 2, (image.height - crop) / 2, crop, crop, 0, 0, side, side);
  image.close();
  const { data } = context.getImageData(0, 0, side, side);
  const row = new Uint8Array(side * side * channels);
  for (let at = 0; at < side * side; at++) {
    for (let channel = 0; channel < channels; channel++) row[channels * at + channel] = data[4 * at + channel];
    // Brightness as ITU-R BT.601 weighs the colours, as in the program itself.
    if (channels === 1) row[at] = Math.round(0.299 * data[4 * at] + 0.587 * data[4 * at + 1] + 0.114 * data[4 * at + 2]);
  }
  return row;
};

// All files that are images, as data to train on; and the names of those that are not.
const decodeImages = async (files, side, channels, onProgress) => {
  const canvas = element("canvas", { width: side, height: side });
  const size = side * side * channels, problems = [], names = [], rows = [];
  const taken = files.slice(0, MOST_IMAGES);
  for (const [number, { path, file }] of taken.entries()) {
    if (number % 50 === 0) onProgress(number, taken.length);
    try {
      rows.push(await decodeImage(file, side, channels, canvas));
      names.push(path);
    } catch {
      problems.push(path);
    }
  }
  problems.push(...files.slice(MOST_IMAGES).map(({ path }) => path));
  if (!names.length) return { data: null, problems };
  const pixels = new Uint8Array(rows.length * size);
  rows.forEach((row, number) => pixels.set(row, number * size));
  return { data: { kind: "images", name: nameOf(names), width: side, height: side, channels, pixels, names, labels: classesOf(names) }, problems };
};
