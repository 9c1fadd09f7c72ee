// Begins the page: binds its parts, makes the worker out of the page itself, and continues what an earlier visit left.
"use strict";

const unzipped = async (base64) => {
  const zipped = Uint8Array.from(atob(base64.trim()), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
};

const makeClient = async () => {
  const source = byId("worker-source"), wasm = byId("wasm");
  const crash = (message) => recover(message);
  // During development worker and module are files of their own.
  if (!source || !wasm) return new WorkerClient(() => new Worker("worker.js"), null, onWorkerEvent, crash);
  const address = URL.createObjectURL(new Blob([source.textContent], { type: "text/javascript" }));
  return new WorkerClient(() => new Worker(address), await unzipped(wasm.textContent), onWorkerEvent, crash);
};

const boot = async () => {
  for (const bind of [bindControls, bindSession, bindCurves, bindNetwork, bindPictures, bindCodes, bindDrawing, bindDoctor, bindFiles]) bind();
  watchTheme();
  window.gpuAe = { ask: (name, args) => client.ask(name, args), state };
  try {
    client = await makeClient();
    [state.open] = await Promise.all([client.open(), openStore()]);
  } catch (error) {
    if (!error.isRestart) setPhase("broken", `The page cannot compute here: ${error.message}.`, true);
    return;
  }
  showDevices();
  showData();
  showKept();
  setPhase("ready", "Ready.");
  await continueKept();
};

document.addEventListener("DOMContentLoaded", boot);
