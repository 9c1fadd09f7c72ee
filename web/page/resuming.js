// Checkpoints: kept after each epoch, downloaded, taken up again after a reload, from a file, or after a lost device.
"use strict";

const LOSSES_ON_GPU = 3;

// The data of a run, as `resume` wants it: the built-in digits are no data.
const ownData = (data) => (data.kind === "digits" ? null : data);

const keepCheckpoint = coalesced(async () => {
  if (state.phase === "failed") return;
  const checkpoint = await client.ask("checkpoint");
  // Metrics and progress are of this moment, as the checkpoint is.
  state.checkpoint = { ...checkpoint, metrics: [...state.metrics], live: [...state.live], figure: state.figure, shares: state.shares };
  await keepRun();
});

const keepRun = async () => {
  if (!state.checkpoint || !state.begun) return;
  const { device, data } = state.begun;
  const run = { ...state.checkpoint, device, isRunning: state.phase === "running" };
  // The data do not change during a run: they are written once.
  const wasKept = store.base !== null;
  const isKept = await keep(state.begun.isDataKept ? { run } : { run, data: ownData(data) });
  if (isKept) state.begun.isDataKept = state.isKept = true;
  if (wasKept) showKept();
};

// Takes up a checkpoint: of this page, of an earlier visit, or of the command line.
const resume = async ({ bytes, metrics = [], live, figure, shares }, { device, data, isDataKept = false }) => {
  const summary = await client.ask("resume", { bytes, device, data: ownData(data), metrics });
  // A run on digits brings its rows along, whatever was chosen here.
  if (summary.data.name === "digits") data = { kind: "digits" };
  state.begun = { device, data, isDataKept };
  state.data = data;
  showData();
  adopt(summary, { live, figure, shares });
};

const resumeFile = attempt("Reading the checkpoint.", async (file) => {
  if (!mayReplace(`Go on with ${file.name}?`)) return;
  const bytes = await file.arrayBuffer();
  await resume({ bytes }, { device: byId("device").value, data: state.data });
  state.checkpoint = { name: file.name, bytes, metrics: [...state.metrics], live: [], shares: null };
  settle(`${file.name} has ${counted(epochsDone(), "epoch")} behind it.`);
  keepRun();
});

const settle = (text) => {
  const isOver = epochsDone() >= state.summary.epochs;
  setPhase(isOver ? "over" : "paused", `${text} ${isOver ? "Raise Epochs to continue." : "Press Continue."}`);
};

// What was kept at an earlier visit goes on where it was.
const continueKept = attempt("Reading the run that this browser keeps.", async () => {
  const run = await kept("run");
  if (!run) return setPhase("ready", "Ready.");
  state.data = (await kept("data")) ?? { kind: "digits" };
  showData();
  const device = state.open.gpu ? run.device : "cpu";
  byId("device").value = device;
  await resume(run, { device, data: state.data, isDataKept: true });
  Object.assign(state, { checkpoint: run, isKept: true });
  showKept();
  settle("Continued the run that this browser keeps.");
  if (run.isRunning && state.phase === "paused") await runOn();
});

// A lost device takes its buffers along. A new worker goes on from the last checkpoint. `isToRun` outlives a device that is lost
// again on the way.
const recover = async (message) => {
  state.isToRun = state.phase === "running" || (state.isRecovering && state.isToRun);
  state.isRecovering = true;
  const hadNetwork = Boolean(state.summary && state.begun);
  state.losses += 1;
  setPhase("busy", `The device was lost: ${message}. Starting it again.`, true);
  if (state.losses > LOSSES_ON_GPU && (!hadNetwork || state.begun.device === "cpu")) {
    client.close();
    return setPhase("broken", `It fails again and again: ${message}. Reload the page to try once more.`, true);
  }
  try {
    state.open = await client.open();
    showDevices();
    if (!hadNetwork) {
      state.isRecovering = false;
      return setPhase("ready", `The device was lost: ${message}. It was started again.`);
    }
    const isCpu = !state.open.gpu || state.losses > LOSSES_ON_GPU;
    const begun = { ...state.begun, device: isCpu ? "cpu" : state.begun.device };
    if (state.checkpoint) await resume(state.checkpoint, begun);
    else { adopt(await client.ask("start", begun)); state.begun = begun; }
    byId("device").value = begun.device;
    state.isRecovering = false;
    settle("The device was lost.");
    if (state.isToRun && state.phase === "paused") await runOn();
    say(`The device was lost: ${message}. Continued from ${state.checkpoint?.name ?? "the start"} on ${state.summary.device}.`);
  } catch (error) {
    if (!error.isRestart) setPhase("broken", `The device was lost and does not come back: ${error.message}. Reload the page to try once more.`, true);
  }
};

const download = async () => {
  const { name, bytes } = await client.ask("checkpoint");
  const link = element("a", { href: URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" })), download: name });
  link.click();
  // The browser reads the blob after the click; a minute is ample.
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  say(`${name} was downloaded.`);
};
