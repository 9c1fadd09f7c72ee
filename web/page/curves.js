// The two curves of a run: its loss, live within epochs, and how wide each hidden layer is in effect.
"use strict";

const curves = { loss: null, width: null };

// The term that curves and status tell: the one that progress tells. Under a weight that moves, sums of different epochs
// do not compare, so without progress it is the error.
const shownTerm = () => {
  const last = state.metrics.at(-1);
  const live = (state.figure ?? "").toLowerCase().replace(/^(train|test)[ _]/, "").replaceAll(" ", "_");
  if (!last) return live || "loss";
  return [live, "entropy_weight" in last ? "mse" : "loss", "loss"].find((term) => `test_${term}` in last) ?? "loss";
};

const shownTerms = () => ["train", "test"].map((rows) => [rows, `${rows}_${shownTerm()}`]).filter(([, key]) => Number.isFinite(state.metrics.at(-1)?.[key]));

const overEpochs = (key) => state.metrics.filter((metrics) => key in metrics).map((metrics) => [metrics.epoch, metrics[key]]);

const lossSeries = () => {
  const series = shownTerms().map(([rows, key], number) => ({ name: rows, colour: `s${number}`, points: overEpochs(key) }));
  // Live points are of the same term as the epochs', or they would share an axis that they do not share.
  return [{ name: "batch", colour: "s0", points: state.live, isFaint: true }, ...series];
};

// Hidden layers by number: exp of the entropy of their neurons' shares where it is measured, else the neurons that are active.
const widthSeries = () => {
  const last = state.metrics.at(-1) ?? {};
  const numbers = Object.keys(last).flatMap((key) => key.match(/^(?:effective_width|active_units)_(\d+)$/)?.[1] ?? []);
  const layers = [...new Set(numbers.map(Number))].sort((a, b) => a - b);
  return layers.map((layer, number) => {
    const effective = `effective_width_${layer}`;
    const key = effective in last ? effective : `active_units_${layer}`;
    const { units, is_code: isCode } = state.summary.layers[layer - 1] ?? {};
    const about = [units, isCode && "code"].filter(Boolean).join(", ");
    return { name: `${layer}${about && ` (${about})`}`, colour: `s${number % COLOURS}`, points: overEpochs(key), isEffective: key === effective };
  });
};

const paintCurves = () => {
  const { summary } = state;
  if (!summary) return;
  const term = shownTerm(), right = Math.max(summary.epochs, epochsDone(), 1);
  byId("loss-head").textContent = term === "loss" ? "Loss" : `Loss: ${term.replaceAll("_", " ")}`;
  curves.loss.set({ title: `Loss (${term})`, series: lossSeries(), right, isLog: true });
  const series = widthSeries();
  const title = series.length && !series.some(({ isEffective }) => isEffective) ? "Active neurons" : "Effective width";
  byId("width-head").textContent = `${title} of hidden layers`;
  curves.width.set({ title, series, right, least: 0 });
};

const bindCurves = () => {
  curves.loss = new Chart(byId("loss"), byId("loss-keys"), "epoch");
  curves.width = new Chart(byId("width"), byId("width-keys"), "epoch");
  keepPainted(paintCurves);
};
