// The table of metrics: a row an epoch, every number that it has.
"use strict";

const FIRST_KEYS = ["epoch", "step", "seconds", "samples_per_second", "train_loss", "test_loss", "train_mse", "test_mse", "entropy_weight"];

// What is read first comes first; layers follow by number.
const columns = () => {
  const keys = [...new Set(state.metrics.flatMap((metrics) => Object.keys(metrics).filter((key) => typeof metrics[key] === "number")))];
  const place = (key) => (FIRST_KEYS.includes(key) ? FIRST_KEYS.indexOf(key) : FIRST_KEYS.length);
  return keys.sort((a, b) => place(a) - place(b) || a.localeCompare(b, "en", { numeric: true }));
};

let shownColumns = [];

const metricsRow = (metrics) => {
  const cells = shownColumns.map((key) => {
    const value = metrics[key];
    const isCount = ["epoch", "step"].includes(key);
    return element("td", { "data-key": key, ...(typeof value === "number" && { "data-value": value }) }, isCount ? String(value) : told(value));
  });
  return element("tr", { "data-epoch": metrics.epoch }, ...cells);
};

const showMetrics = () => {
  shownColumns = columns();
  byId("metrics-names").replaceChildren(...shownColumns.map((key) => element("th", { scope: "col" }, key.replaceAll("_", " "))));
  byId("metrics").replaceChildren(...state.metrics.map(metricsRow));
  showIf(state.metrics.length > 0, "metrics-section");
};

const addMetrics = (metrics) => {
  // An epoch may bring numbers that none before it had.
  if (columns().length !== shownColumns.length) return showMetrics();
  byId("metrics").append(metricsRow(metrics));
};
