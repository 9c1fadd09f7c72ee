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

/** Text of an error of the library or of the browser. */
const words = (error) => (error instanceof Error ? error.message : String(error));

/** A run under way: steps of the next stretch, and how long the steps of this epoch took. */
const pace = {
    steps: 1, milliseconds: 0, samples: 0, timed: 0, isWarm: false,
    begin() {
        Object.assign(this, { milliseconds: 0, samples: 0, timed: 0 });
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
    let before = 0;
    while (isRunning) {
        try {
            await inTurn(async () => {
                if (!isRunning) return;
                const [begin, steps] = [performance.now(), pace.steps];
                const told = await library.advance(steps);
                pace.took(steps, told.samples - before, performance.now() - begin);
                before = told.is_epoch ? 0 : told.samples;
                const rate = pace.rate(told.samples);
                postMessage({ event: "progress", ...told, samples_per_second: rate });
                if (!told.is_epoch) return;
                const ended = await library.end_epoch(pace.milliseconds / 1000, rate);
                pace.begin();
                isRunning = !ended.is_over;
                postMessage({ event: "epoch", ...ended });
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
    start(asked) {
        pace.begin();
        return library.start(asked);
    },
    resume(asked) {
        pace.begin();
        return library.resume(asked);
    },
    set: (asked) => library.set(asked),
    more: ({ epochs }) => library.more(epochs),
    pictures: () => library.pictures(),
    look: ({ pixels }) => library.look(pixels),
    decode: ({ code }) => library.decode(code),
    without: ({ units }) => library.without(new Uint32Array(units.flat())),
    checkpoint: () => library.checkpoint(),
    doctor: ({ device }) =>
        library.doctor(device ?? "gpu", (done, of, kernel) => postMessage({ event: "doctor", done, of, kernel })),
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
