// The doctor: every kernel of the device compared with its reference, and a result to copy.
"use strict";

const showDoctorProgress = ({ done, of, kernel }) => {
  byId("doctor-progress").value = of ? done / of : 0;
  // Apart from what is announced: a name several times a second is no news.
  byId("doctor-step").textContent = `${done} of ${of}: ${kernel}`;
};

// What someone who reads a report needs: the program, the browser, the device, its limits, each kernel's line.
const doctorText = ({ device, lines, is_sound: isSound, limits }) => [
  `gpu-ae ${state.open.version}, doctor`,
  `device: ${device}`,
  ...(state.open.gpu ? [`adapter: ${state.open.gpu.name}, ${state.open.gpu.backend}${state.open.gpu.driver ? `, ${state.open.gpu.driver}` : ""}`] : []),
  `browser: ${navigator.userAgent}`,
  `result: ${isSound ? "every kernel computes what its reference computes" : "NOT SOUND: see the lines that fail"}`,
  "",
  ...lines,
  "",
  ...Object.entries(limits ?? {}).map(([name, value]) => `${name}: ${value}`),
].join("\n").trimEnd();

let isExamining = false;

const examine = async () => {
  if (isExamining) return client.ask("stop");
  const wasRunning = state.phase === "running";
  isExamining = true;
  // Both at once would compete for the device.
  if (wasRunning) await pause();
  const before = state.phase;
  setPhase("busy", "Examining the device.");
  byId("doctor").disabled = false;
  byId("doctor").textContent = "Stop";
  try {
    byId("doctor-told").textContent = "Examining.";
    showIf(true, "doctor-progress");
    const found = await client.ask("doctor", { device: byId("device").value });
    byId("doctor-result").textContent = doctorText(found);
    byId("doctor-told").textContent = found.is_sound ? `${found.device} is sound.` : `${found.device} is not sound: see the lines that fail.`;
    showIf(true, "doctor-result", "doctor-copy");
  } catch (error) {
    byId("doctor-told").textContent = error.message;
  }
  isExamining = false;
  byId("doctor").textContent = "Examine this device";
  showIf(false, "doctor-progress");
  byId("doctor-step").textContent = "";
  setPhase(before, "The device was examined.");
  if (wasRunning && state.phase === "paused") await goOn();
  showControls();
};

const copyDoctor = async () => {
  const result = byId("doctor-result");
  try {
    await navigator.clipboard.writeText(result.textContent);
    byId("doctor-told").textContent = "Copied.";
  } catch {
    // Where the page may not write to the clipboard, the text is selected for the visitor to copy.
    getSelection().selectAllChildren(result);
    byId("doctor-told").textContent = "Selected: copy it with the keyboard.";
  }
};

const bindDoctor = () => {
  byId("doctor").onclick = examine;
  byId("doctor-copy").onclick = copyDoctor;
};
