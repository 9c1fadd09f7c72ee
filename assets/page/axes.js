// Numbers and axes as people read them, for reports and for the page in a browser.
"use strict";

// A number as one reads it: four digits, powers of ten where it is very small or large.
const told = (value) => {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(3) : String(Number(value.toPrecision(4)));
};

// A number of an axis up to `most` in steps of `step`: as many digits as tell them apart.
const labelled = (value, step, most) => {
  if (value === 0) return "0";
  const digits = Math.max(0, Math.ceil(Math.log10(most / step) - 1e-9));
  if (most < 1e-3 || most >= 1e5) return value.toExponential(Math.min(digits, 4)).replace("e+", "e");
  return value.toFixed(Math.min(8, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9))));
};

// Round numbers from `low` to `high`, about five, at least so far apart, and how far they are.
const ticks = (low, high, least = 0) => {
  const rough = Math.max((high - low) / 5 || 1, least);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const all = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) all.push(Math.abs(at) < step * 1e-9 ? 0 : at);
  return { all, step };
};
