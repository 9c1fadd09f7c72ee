// The library in a worker of the page: one question after the other, answered in order. While a run is under way its steps
// are questions of its own, so that a question of the page waits for one stretch of steps and no longer.
//
// `wasm_bindgen` is the glue that stands before this text in the built page.

/** Time that a stretch of steps is to take, in milliseconds: long enough to cost little, short enough to be answered between. */
const STRETCH = 120;

/** What the browser tells of the GPU: its maker and its kind, where it tells no name. */
async function nameOfGpu() {
    const adapter = await navigator.gpu.requestAdapter();
    const { description, vendor, architecture } = adapter?.info ?? {};
    return description || [vendor, architecture].filter(Boolean).join(" ");
}

/** Least time between two checkpoints of epochs, in milliseconds. */
const KEEP_EVERY = 500;

/** Text of an error of the library or of the browser. */
const words = (error) => (error instanceof Error ? error.message : String(error));

/** A run under way: steps of the next stretch, and how long the steps of this epoch took. */
const pace = {
    steps: 1, milliseconds: 0, samples: 0, timed: 0, isWarm: false, before: 0,
    /** An epoch begins, or is gone on with behind so many rows. */
    begin(before = 0) {
        Object.assign(this, { milliseconds: 0, samples: 0, timed: 0, before });
    },
    /** Takes note of a stretch: how many steps, over so many rows, took how long. The first of all includes what is compiled late. */
    took(steps, samples, time) {
        this.milliseconds += time;
        if (this.isWarm) {
            this.samples += samples;
            this.timed += time;
        }
        this.isWarm = true;
        const fitting = Math.round((steps * STRETCH) / Math.max(time, 1));
        this.steps = Math.max(1, Math.min(fitting, 4 * steps));
    },
    rate(samples) {
        const [rows, time] = this.timed > 0 ? [this.samples, this.timed] : [samples, this.milliseconds];
        return (rows * 1000) / Math.max(time, 1e-6);
    },
};

let library = null;
let isRunning = false;
/** Whether an examination of the device is to end before its end. */
let isStopped = false;
/** When a checkpoint was last sent along with an epoch. */
let kept = -Infinity;
/** The last question, or what comes after it. */
let last = Promise.resolve();

/** Asks the library when all that was asked before is answered. */
function inTurn(question) {
    const answer = last.then(question);
    last = answer.catch(() => {});
    return answer;
}

/** Steps of the run until it is paused or over. */
async function run() {
    while (isRunning) {
        try {
            await inTurn(async () => {
                // The CPU device has its answers at once, and a message of the page would never have its turn.
                await new Promise((done) => setTimeout(done));
                if (!isRunning) return;
                const [begin, steps] = [performance.now(), pace.steps];
                const told = await library.advance(steps);
                pace.took(steps, told.samples - pace.before, performance.now() - begin);
                pace.before = told.samples;
                const rate = pace.rate(told.samples);
                postMessage({ event: "progress", ...told, samples_per_second: rate });
                if (!told.is_epoch) return;
                const ended = await library.end_epoch(pace.milliseconds / 1000, rate);
                pace.begin();
                isRunning = !ended.is_over;
                // The checkpoint of the epoch itself: what is asked for later may be of a network that has failed.
                const isKept = ended.is_over || performance.now() - kept > KEEP_EVERY;
                if (isKept) kept = performance.now();
                postMessage({ event: "epoch", ...ended, checkpoint: isKept ? await library.checkpoint() : null });
                if (ended.is_over) postMessage({ event: "over" });
            });
        } catch (error) {
            isRunning = false;
            const message = words(error);
            postMessage({ event: /device lost|is lost/i.test(message) ? "lost" : "failed", message });
        }
    }
}

const answers = {
    async open({ wasm }) {
        await wasm_bindgen({ module_or_path: wasm });
        library = new wasm_bindgen.Worker();
        const opened = await library.open();
        if (opened.gpu) opened.gpu.name = (await nameOfGpu()) || opened.gpu.name;
        // While people look at the page.
        inTurn(() => library.draw());
        return opened;
    },
    async start(asked) {
        const summary = await library.start(asked);
        pace.begin();
        return summary;
    },
    async resume(asked) {
        const summary = await library.resume(asked);
        pace.begin(summary.samples);
        return summary;
    },
    examine: (data) => library.examine(data),
    set: (asked) => library.set(asked),
    more: ({ epochs }) => library.more(epochs),
    pictures: () => library.pictures(),
    look: ({ pixels }) => library.look(pixels),
    decode: ({ code }) => library.decode(code),
    without: ({ units }) => library.without(new Uint32Array(units.flat())),
    checkpoint: () => library.checkpoint(),
    doctor({ device }) {
        isStopped = false;
        return library.doctor(device ?? "gpu", async (done, of, kernel) => {
            postMessage({ event: "doctor", done, of, kernel });
            await new Promise((done) => setTimeout(done));
            return !isStopped;
        });
    },
};

/** What answers at once, whatever is under way. */
const atOnce = {
    run() {
        if (!isRunning) {
            isRunning = true;
            run();
        }
        return {};
    },
    stop() {
        isStopped = true;
        return {};
    },
    async pause() {
        isRunning = false;
        await last;
        return {};
    },
};

onmessage = async ({ data: { id, ask, ...asked } }) => {
    try {
        if (ask === "start" || ask === "resume") isRunning = false;
        const question = answers[ask];
        if (!question && !atOnce[ask]) throw new Error(`'${ask}' is no question`);
        const value = question ? await inTurn(() => question(asked)) : await atOnce[ask]();
        postMessage({ id, value: value ?? {} });
    } catch (error) {
        postMessage({ id, error: words(error) });
    }
};
