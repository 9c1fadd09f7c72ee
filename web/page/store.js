// What a reload continues from: the last checkpoint with its metrics, and the visitor's own data, in IndexedDB.
"use strict";

const store = { base: null, absence: null };

const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

// Two tabs would overwrite each other's run: the first one has it. A reload waits a moment for the page before it to let go.
const takeTurn = () => new Promise((resolve) => {
  const signal = AbortSignal.timeout(800);
  const held = () => { resolve(true); return new Promise(() => {}); };
  navigator.locks.request("gpu-ae-run", { signal }, held).catch((error) => resolve(error.name !== "AbortError" && error.name !== "TimeoutError"));
});

const openStore = async () => {
  try {
    if (!window.indexedDB) throw new Error("it has no IndexedDB here");
    if (navigator.locks && !(await takeTurn())) throw new Error("another tab keeps its run");
    const request = indexedDB.open("gpu-ae", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("kept");
    store.base = await settled(request);
  } catch (error) {
    store.absence = error.message || error.name;
  }
};

const kept = async (key) => {
  if (!store.base) return null;
  return (await settled(store.base.transaction("kept").objectStore("kept").get(key))) ?? null;
};

// Whether it is kept. A full disk ends the keeping, never the training.
const keep = async (entries) => {
  if (!store.base) return false;
  try {
    const change = store.base.transaction("kept", "readwrite");
    const done = new Promise((resolve, reject) => {
      change.oncomplete = resolve;
      change.onabort = change.onerror = () => reject(change.error);
    });
    for (const [key, value] of Object.entries(entries)) change.objectStore("kept").put(value, key);
    await done;
    return true;
  } catch (error) {
    store.base.close();
    store.base = null;
    store.absence = error?.message || "the browser's store is full";
    return false;
  }
};

const forget = async () => {
  if (store.base) await settled(store.base.transaction("kept", "readwrite").objectStore("kept").clear());
};
