// The form beside the page: what is chosen, what can be changed when, and what is told of it.
"use strict";

const numberOf = (id) => (byId(id).value.trim() === "" ? null : Number(byId(id).value));

// A number of the form, or an error that names its field. An empty field is left to the model's default.
const chosen = (id, name, isWhole, least) => {
  const value = numberOf(id);
  const most = byId(id).max === "" ? Infinity : Number(byId(id).max);
  const isWithin = value !== null && Number.isFinite(value) && value <= most && (isWhole ? Number.isInteger(value) && value >= least : value > least);
  const isRight = !byId(id).validity.badInput && (value === null || isWithin);
  byId(id).setAttribute("aria-invalid", !isRight);
  const limit = most === Infinity ? "" : ` and at most ${thousands(most)}`;
  if (!isRight) throw new Error(`${name} must be a ${isWhole ? "whole number of at least" : "number of more than"} ${least}${limit}.`);
  return value;
};

const chosenSettings = () => ({
  model: byId("model").value,
  device: byId("device").value,
  data: state.data,
  seed: chosen("seed", "The seed", true, 0) ?? 0,
  epochs: chosen("epochs", "Epochs", true, 1) ?? 10,
  batch_size: chosen("batch-size", "The batch size", true, 1),
  lr: chosen("lr", "The step size", false, 0),
});

const showDevices = () => {
  const { version, gpu, absence, models } = state.open;
  byId("version").textContent = version;
  byId("device-told").textContent = gpu
    ? `${gpu.name} · ${gpu.backend}${gpu.driver ? ` · ${gpu.driver}` : ""}`
    : `There is no WebGPU: ${absence}. It trains on the CPU device in WebAssembly instead.`;
  const before = byId("device").value, model = byId("model").value;
  const cpu = ["cpu", "CPU, in WebAssembly"];
  // A GPU that the processor plays is slower than the processor.
  const options = !gpu ? [cpu] : gpu.is_software ? [cpu, ["gpu", `Software GPU: ${gpu.name}`]] : [["gpu", `GPU: ${gpu.name}`], cpu];
  byId("device").replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
  if (options.some(([value]) => value === before)) byId("device").value = before;
  byId("model").replaceChildren(...models.map(({ name, title }) => element("option", { value: name }, title)));
  if (models.some(({ name }) => name === model)) byId("model").value = model;
  showModel();
};

const showModel = () => {
  byId("model-about").textContent = state.open.models.find(({ name }) => name === byId("model").value)?.about ?? "";
};

const showData = () => {
  const { data, problems } = state;
  const rows = { digits: "Built-in digits, 28 × 28, ten classes." };
  if (data.found) {
    const { rows: count, height, width, channels, classes } = data.found;
    const shape = height > 1 ? `${width} × ${height}, ${channels === 1 ? "grey" : counted(channels, "channel")}` : counted(width * channels, "value");
    rows.npy = rows.idx = `${data.name}: ${counted(count, "row")}, ${shape}${classes ? `, ${counted(classes, "class", "classes")}` : ""}.`;
  }
  if (data.kind === "images") {
    const classes = data.labels ? `, ${counted(new Set(data.labels).size, "class", "classes")}` : "";
    rows.images = `${data.name}: ${counted(data.names.length, "image")}, ${data.width} × ${data.height}, ${data.channels === 1 ? "grey" : "colour"}${classes}.`;
  }
  byId("data-told").textContent = rows[data.kind] ?? `${data.name}.`;
  byId("data-problems").textContent = problems.length
    ? `${counted(problems.length, "file")} left out: ${problems.slice(0, 5).join(", ")}${problems.length > 5 ? " and more" : ""}.`
    : "";
  showIf(problems.length > 0, "data-problems");
  showIf(data.kind !== "digits", "data-digits");
};

// Other data and other models have defaults of their own.
const forgetSettings = () => {
  for (const id of ["lr", "batch-size", "entropy-weight"]) byId(id).value = "";
};

const setField = (id, value) => {
  const field = byId(id);
  // What is being typed is not overwritten.
  if (document.activeElement === field) return;
  field.value = value === null ? "" : String(Number(Number(value).toPrecision(6)));
  field.removeAttribute("aria-invalid");
};

// The settings of the network that is there.
const showSettings = () => {
  const { summary } = state;
  setField("epochs", summary.epochs);
  setField("lr", summary.lr);
  setField("batch-size", summary.batch_size);
  setField("entropy-weight", summary.entropy_weight);
  byId("model").value = summary.model;
  showModel();
};

const showControls = () => {
  const { phase, summary } = state;
  const isRunning = phase === "running", isIdle = ["ready", "paused", "over", "failed"].includes(phase);
  const canRaise = phase === "over" && (numberOf("epochs") ?? 0) > summary.epochs;
  byId("start").disabled = !isIdle;
  byId("start").textContent = summary ? "Start over" : "Start";
  byId("start").classList.toggle("first", !summary || phase === "over");
  byId("pause").textContent = isRunning || !summary ? "Pause" : "Continue";
  byId("pause").disabled = !(isRunning || phase === "paused" || canRaise || (phase === "failed" && state.checkpoint));
  byId("pause").classList.toggle("first", ["paused", "failed"].includes(phase) || canRaise);
  for (const id of ["model", "device", "seed", "batch-size", "data-files", "data-folder", "data-digits", "image-size", "image-channels", "upload"]) byId(id).disabled = !isIdle;
  for (const id of ["entropy-weight", "entropy-halve", "entropy-double"]) byId(id).disabled = Boolean(summary) && summary.entropy_weight == null;
  byId("entropy-weight").placeholder = summary && summary.entropy_weight == null ? "none in this model" : "";
  byId("download").disabled = !summary || phase === "busy";
  byId("doctor").disabled = !(isIdle || isRunning);
  byId("forget").disabled = !isIdle;
  showIf(!summary, "intro");
  showIf(Boolean(summary), "training");
  const hasLayers = Boolean(summary?.layers.length);
  showIf(hasLayers, "network-section");
  byId("width").closest("figure").hidden = !hasLayers;
};

const showKept = () => {
  byId("kept").textContent = store.base
    ? "Kept in this browser after each epoch. A reload continues."
    : `This browser keeps nothing (${store.absence}). Download the checkpoint before you leave.`;
  showIf(Boolean(store.base && state.isKept), "forget");
};

const say = (text, isWrong = false) => {
  byId("status").textContent = text;
  byId("status").classList.toggle("wrong", isWrong);
};

// Step size and entropy weight go to the network that is there; before there is one they wait for the start.
const changed = (id, key, name) => coalesced(async () => {
  const value = state.summary && chosen(id, name, false, 0);
  if (value === null || !state.summary) return;
  try {
    await client.ask("set", { [key]: value });
  } catch (error) {
    byId(id).value = state.summary[key] ?? "";
    throw error;
  }
  state.summary[key] = value;
  say(`${name}: ${told(value)} from the next step on.`);
});

const scaled = (id, factor) => {
  const value = numberOf(id);
  if (value === null || !Number.isFinite(value)) return;
  byId(id).value = String(Number((value * factor).toPrecision(6)));
  byId(id).dispatchEvent(new Event("change"));
};

const bindControls = () => {
  byId("settings").onsubmit = (event) => event.preventDefault();
  byId("model").onchange = () => {
    // Each model has defaults of its own.
    forgetSettings();
    showModel();
  };
  byId("lr").onchange = changed("lr", "lr", "The step size");
  byId("entropy-weight").onchange = changed("entropy-weight", "entropy_weight", "The entropy weight");
  byId("lr-halve").onclick = () => scaled("lr", 0.5);
  byId("lr-double").onclick = () => scaled("lr", 2);
  byId("entropy-halve").onclick = () => scaled("entropy-weight", 0.5);
  byId("entropy-double").onclick = () => scaled("entropy-weight", 2);
  byId("epochs").oninput = showControls;
  const change = coalesced(changeEpochs);
  byId("epochs").onchange = () => { if (state.phase === "running") change(); };
};
