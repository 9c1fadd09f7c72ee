// Files that are chosen or dropped: images, arrays, IDX files, checkpoints.
"use strict";

const lastImages = { files: [] };

// All files below what was dropped, folders included, with their paths.
const filesBelow = async (entry) => {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ path: entry.fullPath.replace(/^\//, ""), file }];
  }
  const reader = entry.createReader(), found = [];
  for (;;) {
    // A reader gives a part of a folder at a time, and an empty one at the end.
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return found;
    for (const inner of part) found.push(...(await filesBelow(inner)));
  }
};

const droppedFiles = async (transfer) => {
  // Entries and files must be asked for before the first wait: the browser empties the list after the event.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const plain = [...transfer.files].map((file) => ({ path: file.name, file }));
  return entries.length ? (await Promise.all(entries.map(filesBelow))).flat() : plain;
};

const isHidden = ({ path }) => path.split("/").some((part) => part.startsWith(".") || part === "__MACOSX");
const isArray = ({ path }) => /\.npy$/i.test(path);
const isIdx = ({ path }) => /idx|ubyte/i.test(path.split("/").at(-1));
const isLabels = ({ path }) => /label|idx1|(^|[\/_.-])y([_.-]|$)/i.test(path.split("/").at(-1));
const isTest = ({ path }) => /t10k|test/i.test(path.split("/").at(-1));

const bytesOf = async ({ path, file }) => {
  if (!/\.gz$/i.test(path)) return file.arrayBuffer();
  return new Response(file.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
};

// One file of rows and, where there is one, its file of labels. Of a training and a test part, the training one is taken.
const readArrays = async (files, kind) => {
  const preferred = (all) => all.find((file) => !isTest(file)) ?? all[0];
  const rows = preferred(files.filter((file) => !isLabels(file)));
  if (!rows) throw new Error("There are only labels here: images are missing.");
  const candidates = files.filter((file) => isLabels(file) && isTest(file) === isTest(rows));
  const labels = preferred(candidates);
  const problems = files.filter((file) => file !== rows && file !== labels).map(({ path }) => path);
  const data = { kind, name: rows.file.name, images: await bytesOf(rows), labels: labels ? await bytesOf(labels) : null, labels_name: labels?.file.name };
  // Looked into at once: what cannot be read is said before anyone presses Start.
  return { data: { ...data, found: await client.ask("examine", data) }, problems };
};

const readImages = (files) => {
  lastImages.files = files;
  // Folders are listed in no order, and the same images should be the same rows everywhere.
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const side = Number(byId("image-size").value), channels = Number(byId("image-channels").value);
  return decodeImages(files, side, channels, (done, of) => say(`Reading images: ${thousands(done)} of ${thousands(of)}.`));
};

const takeFiles = attempt("Reading the files.", async (all) => {
  const files = all.filter((file) => !isHidden(file));
  const checkpoint = files.find(({ path }) => /\.safetensors$/i.test(path));
  if (checkpoint) return resumeFile(checkpoint.file);
  if (!files.length) throw new Error("There are no files in this folder.");
  const arrays = files.filter(isArray), idx = files.filter((file) => !isArray(file) && isIdx(file));
  const { data, problems } = await (arrays.length ? readArrays(arrays, "npy") : idx.length ? readArrays(idx, "idx") : readImages(files));
  if (!data) throw new Error(`No image, array or IDX file is among: ${problems.slice(0, 5).join(", ")}.`);
  const others = arrays.length ? files.filter((file) => !isArray(file)) : idx.length ? files.filter((file) => !isIdx(file)) : [];
  Object.assign(state, { data, problems: [...problems, ...others.map(({ path }) => path)].sort() });
  forgetSettings();
  showData();
  say(`${data.name} is ready. Press ${state.summary ? "Start over" : "Start"} to train on it.`);
});

const chosenFiles = (input) => [...input.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

const bindFiles = () => {
  for (const id of ["data-files", "data-folder"]) {
    byId(id).onchange = ({ target }) => {
      const files = chosenFiles(target);
      // The same choice again is a change again.
      target.value = "";
      if (files.length) takeFiles(files);
    };
  }
  byId("upload").onchange = ({ target }) => {
    const [file] = target.files;
    target.value = "";
    if (file) resumeFile(file);
  };
  byId("data-digits").onclick = () => {
    Object.assign(state, { data: { kind: "digits" }, problems: [] });
    forgetSettings();
    showData();
    say(`The built-in digits are chosen. Press ${state.summary ? "Start over" : "Start"} to train on them.`);
  };
  for (const id of ["image-size", "image-channels"]) byId(id).onchange = () => { if (state.data.kind === "images" && lastImages.files.length) takeFiles(lastImages.files); };
  const isFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); });
  document.addEventListener("drop", async (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    document.body.classList.remove("dropping");
    const isIdle = ["ready", "paused", "over", "failed"].includes(state.phase);
    const files = droppedFiles(event.dataTransfer);
    if (!isIdle) return say("Pause the training before you drop files here.", true);
    takeFiles(await files);
  });
};
