// The worker that trains, as promises. It can be started again from the bytes it was made of.
"use strict";

class WorkerClient {
  // `make` gives a new worker; `wasm` are the bytes it computes with, null where the worker finds them itself.
  constructor(make, wasm, onEvent, onCrash) {
    Object.assign(this, { make, wasm, onEvent, onCrash, waiting: new Map(), last: 0, worker: null });
  }

  // Starts the worker, or another one in its place, and answers what there is to compute on.
  open() {
    this.close();
    const worker = this.make();
    this.worker = worker;
    worker.onmessage = ({ data }) => {
      // A worker that was replaced may still have messages on their way.
      if (worker !== this.worker) return;
      if (data.event) return this.onEvent(data);
      const waiting = this.waiting.get(data.id);
      if (!waiting) return;
      this.waiting.delete(data.id);
      if (data.error === undefined) waiting.resolve(data.value);
      else waiting.reject(new Error(data.error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker === this.worker) this.onCrash(event.message || "the worker could not be started");
    };
    const wasm = this.wasm ? this.wasm.slice(0) : null;
    return wasm ? this.ask("open", { wasm }, [wasm]) : this.ask("open");
  }

  close() {
    if (!this.worker) return;
    this.worker.terminate();
    this.worker = null;
    for (const { reject } of this.waiting.values()) reject(Object.assign(new Error("the worker was restarted"), { isRestart: true }));
    this.waiting.clear();
  }

  ask(name, args = {}, transfer = []) {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      if (!this.worker) return reject(Object.assign(new Error("the worker is not running"), { isRestart: true }));
      this.waiting.set(id, { resolve, reject });
      try {
        this.worker.postMessage({ ...args, id, ask: name }, transfer);
      } catch (error) {
        this.waiting.delete(id);
        reject(error);
      }
    });
  }
}
