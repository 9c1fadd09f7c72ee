// The run: starting, pausing, going on, and what the worker tells meanwhile.
"use strict";

// `live` are the figures within epochs, as [epochs done, value], and `figure` is their name; `shares` what each neuron does, by layer.
const state = {
  phase: "busy", open: null, summary: null, metrics: [], progress: null, live: [], figure: null, shares: null,
  data: { kind: "digits" }, problems: [], begun: null, checkpoint: null, isKept: false,
  losses: 0, isToRun: false, isRecovering: false,
};
let client = null;

const LIVE_POINTS = 3000;

const setPhase = (phase, text, isWrong) => {
  state.phase = phase;
  if (text) say(text, isWrong);
  showControls();
};

const epochsDone = () => Math.max(state.summary?.epoch ?? 0, state.metrics.at(-1)?.epoch ?? 0);

const addLive = (progress) => {
  const share = progress.rows ? progress.samples / progress.rows : 0;
  state.live.push([epochsDone() + Math.min(1, share), progress.figure.value]);
  if (state.live.length > LIVE_POINTS) state.live = state.live.filter((_, number) => number % 2 === 1);
};

const showProgress = () => {
  const { progress, summary } = state;
  if (!summary) return;
  const done = epochsDone();
  const share = progress?.rows && state.phase !== "over" ? Math.min(1, progress.samples / progress.rows) : 0;
  byId("progress").value = Math.min(1, (done + share) / summary.epochs);
  const parts = [`epoch ${Math.min(summary.epochs, done + (done < summary.epochs ? 1 : 0))} of ${summary.epochs}`];
  if (progress && done < summary.epochs) parts.push(`${thousands(progress.samples)} of ${thousands(progress.rows)} rows`);
  if (progress) parts.push(`${thousands(progress.samples_per_second)} rows/s`, `${progress.figure.name} ${told(progress.figure.value)}`);
  byId("figures").textContent = parts.join(" · ");
  document.title = `${done} of ${summary.epochs} epochs · gpu-ae`;
};

// Takes over the network that the worker has now.
const adopt = (summary, { live = [], figure = null, shares = null } = {}) => {
  Object.assign(state, { summary, metrics: [...summary.metrics], live, figure, shares, progress: null });
  showSettings();
  showMetrics();
  forgetPictures();
  forgetRemoved();
  byId("network-told").textContent = "";
  showControls();
  showSummary();
  showProgress();
  fitDrawing();
  repaint(paintCurves, layNetwork);
  refreshPictures();
};

const showSummary = () => {
  const { data, ...of } = state.summary;
  const sides = data.height > 1 ? `${data.width} × ${data.height}${data.channels > 1 ? ` × ${data.channels}` : ""}` : counted(data.width * data.channels, "value");
  const title = state.open.models.find(({ name }) => name === of.model)?.title ?? of.model;
  byId("summary-told").textContent = `${title} (${of.model}), with ${counted(of.parameters, "parameter")} on ${data.name}: ${thousands(data.train_rows)} rows to train, ` +
    `${thousands(data.test_rows)} to test, ${sides}. On ${of.device}, batches of ${of.batch_size}, ${counted(of.steps_per_epoch, "step")} an epoch.`;
};

const runOn = async () => {
  await client.ask("run");
  setPhase("running", `Training on ${state.summary.device}.`);
  // So that a reload knows that it was running.
  keepRun();
};

// An action of the visitor: while it is done nothing else begins, and if it fails everything is as before.
function attempt(doing, action) {
  return async (...given) => {
    const before = state.phase;
    const button = ["start", "pause"].includes(document.activeElement?.id) ? document.activeElement : null;
    setPhase("busy", doing);
    try {
      await action(...given);
      if (state.phase === "busy") setPhase(before);
    } catch (error) {
      // A worker that was restarted answers nothing; its recovery sets the phase.
      if (!error.isRestart) setPhase(before, error.message, true);
    }
    // A button that is pressed and cannot be pressed again hands the keyboard on to the other one.
    const [own, other] = button?.id === "start" ? ["start", "pause"] : ["pause", "start"];
    if (button && document.activeElement === document.body) (byId(own).disabled ? byId(other) : byId(own)).focus();
  };
}

// What is there is replaced only by who means to.
const mayReplace = (how) => {
  const done = epochsDone();
  return !state.summary || done === 0 || window.confirm(`${how} The network with ${counted(done, "epoch")} behind it is replaced; Download keeps it.`);
};

const start = attempt("Preparing the data and the network.", async () => {
  const settings = chosenSettings();
  // A worker's memory never shrinks: another network begins in another one, and this one comes back if that cannot be.
  const before = state.summary && (await client.ask("checkpoint").catch(() => state.checkpoint));
  if (state.summary) await client.open();
  const weight = numberOf("entropy-weight");
  const summary = await client.ask("start", settings).catch(async (error) => {
    const { metrics, live, figure, shares } = state;
    if (before) await resume({ ...before, metrics: [...metrics], live, figure, shares }, state.begun);
    throw error;
  });
  if (weight > 0 && summary.entropy_weight !== null && weight !== summary.entropy_weight) {
    await client.ask("set", { entropy_weight: weight });
    summary.entropy_weight = weight;
  }
  // Before it is shown, since pictures of a network that has learnt nothing can wait for its first steps.
  await client.ask("run");
  Object.assign(state, { begun: { ...settings, isDataKept: false }, checkpoint: null, losses: 0 });
  adopt(summary);
  setPhase("running", `Training on ${summary.device}.`);
});

const pause = attempt("Pausing after this step.", async () => {
  await client.ask("pause");
  settle(state.progress?.samples ? `Paused in epoch ${epochsDone() + 1}.` : `Paused after ${counted(epochsDone(), "epoch")}.`);
  keepCheckpoint();
  refreshPictures();
});

// Of a run that is over only more epochs mean anything, of any other fewer too.
const changeEpochs = async () => {
  const wanted = chosen("epochs", "Epochs", true, 1) ?? state.summary.epochs;
  if (wanted === state.summary.epochs) return;
  const { epochs } = await client.ask("more", { epochs: wanted });
  state.summary.epochs = epochs;
  showProgress();
  repaint(paintCurves);
};

const goOn = attempt("Going on.", async () => {
  if (state.begun.hasFailed) {
    // What was typed since is why somebody goes on.
    const typed = { lr: numberOf("lr"), entropy_weight: numberOf("entropy-weight") };
    await resume(state.checkpoint, state.begun);
    for (const key of ["lr", "entropy_weight"]) {
      if (!(typed[key] > 0) || state.summary[key] === null || typed[key] === state.summary[key]) continue;
      await client.ask("set", { [key]: typed[key] });
      state.summary[key] = typed[key];
    }
    showSettings();
  }
  await changeEpochs();
  setField("epochs", state.summary.epochs);
  await runOn();
});

const onEpoch = ({ metrics, layers, checkpoint }) => {
  state.metrics.push(metrics);
  if (layers) state.shares = layers.map(({ shares }) => shares);
  Object.assign(state.summary, { epoch: metrics.epoch, step: metrics.step });
  state.progress = state.progress && { ...state.progress, samples: 0 };
  state.losses = 0;
  if (metrics.entropy_weight !== undefined) setField("entropy-weight", metrics.entropy_weight);
  addMetrics(metrics);
  showProgress();
  repaint(paintCurves, showShares);
  const losses = shownTerms().map(([name, key]) => `${name} ${told(metrics[key])}`).join(", ");
  if (state.phase === "running") say(`Epoch ${metrics.epoch} of ${state.summary.epochs}: ${losses}.`);
  if (checkpoint) {
    state.checkpoint = { ...checkpoint, metrics: [...state.metrics], live: [...state.live], figure: state.figure, shares: state.shares };
    keepRun();
  }
  if (!document.hidden) refreshPictures();
};

const onWorkerEvent = (event) => {
  if (event.event === "progress") {
    state.progress = event;
    state.figure = event.figure.name;
    addLive(event);
    showProgress();
    paintCalmly(paintCurves);
  }
  if (event.event === "epoch") onEpoch(event);
  if (event.event === "doctor") showDoctorProgress(event);
  if (event.event === "lost") recover(event.message);
  if (event.event === "over") {
    setPhase("over", `${counted(epochsDone(), "epoch")} trained. Raise Epochs to continue.`);
    showProgress();
  }
  if (event.event === "failed") {
    state.begun.hasFailed = true;
    setPhase("failed", `Training failed: ${event.message}.${state.checkpoint ? " Continue goes back to the last checkpoint." : ""}`, true);
  }
};

const bindSession = () => {
  byId("start").onclick = () => { if (mayReplace("Start over?")) start(); };
  byId("pause").onclick = () => (state.phase === "running" ? pause() : goOn());
  byId("download").onclick = coalesced(download);
  byId("forget").onclick = coalesced(async () => {
    await forget();
    state.isKept = false;
    if (state.begun) state.begun.isDataKept = false;
    showKept();
    say("The kept run was forgotten. The network in this page is still there.");
  });
  document.addEventListener("visibilitychange", () => {
    if (!state.summary || ["busy", "failed"].includes(state.phase)) return;
    // A tab in the background may be discarded, so its newest step is kept; pictures wait until they are seen.
    if (document.hidden) keepCheckpoint();
    else refreshPictures();
  });
  window.addEventListener("beforeunload", (event) => { if (state.phase === "running" && !store.base) event.preventDefault(); });
};
