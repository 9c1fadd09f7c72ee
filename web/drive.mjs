// Drives the built page in Chromium: node drive.mjs CHROMIUM FOLDER MODULES
//
// FOLDER holds small.npy, images to train on, and expected.jsonl, what 'gpu-ae train --recipe report --data small.npy --device
// gpu --epochs 2' made of them, and its checkpoint as native.safetensors; table.safetensors is one of a table. What the page makes is left there: page.safetensors,
// the checkpoint behind two epochs, and screenshots. MODULES is where npm has put puppeteer-core. Anything that is not as it
// should be ends with an error.
import { createServer } from "node:http";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const [chromium, folder, modules] = process.argv.slice(2);
const found = createRequire(resolve(modules, "package.json")).resolve("puppeteer-core");
const { default: puppeteer } = await import(pathToFileURL(found));
const html = readFileSync(join(dirname(fileURLToPath(import.meta.url)), "dist", "index.html"));
const expected = readFileSync(join(folder, "expected.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line));

/** Largest share by which a loss may differ from the program's on another GPU: sums of f32 in another order. */
const TOLERANCE = 1e-4;
/** Most bytes of the page as a server sends it. */
const MOST_BYTES = 3e6;

function demand(holds, what) {
    if (!holds) throw new Error(what);
}

const size = gzipSync(html, { level: 9 }).length;
demand(size <= MOST_BYTES, `the page has ${size} bytes compressed, at most ${MOST_BYTES} are wanted`);

const server = createServer((_, response) => response.setHeader("content-type", "text/html").end(html));
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${server.address().port}/`;
const options = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
const browser = await puppeteer.launch({ executablePath: chromium, headless: true, args: options, protocolTimeout: 600_000 });
const problems = [];
/** What the page has asked its visitor. */
const asked = [];

async function opened() {
    const page = await browser.newPage();
    await page.setViewport({ width: 1200, height: 1000 });
    // Whether a network is replaced is asked; here it always may be.
    page.on("dialog", (dialog) => asked.push(dialog.message()) && dialog.accept());
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    await page.goto(address);
    return page;
}

/** Waits until the page is in one of these phases; a run that fails says why. */
async function phase(page, ...wanted) {
    await page.waitForFunction(
        (wanted) => [...wanted, "failed", "broken"].includes(window.gpuAe?.state.phase), { timeout: 60_000 }, wanted);
    const [now, told] = await page.evaluate(() => [gpuAe.state.phase, document.querySelector("#status").textContent]);
    demand(wanted.includes(now), `the page is ${now}: ${told}`);
}

async function set(page, id, value) {
    await page.$eval(id, (field, value) => {
        field.value = value;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        field.dispatchEvent(new Event("change", { bubbles: true }));
    }, value);
}

/** Two epochs of the report's network on the images of the folder; their metrics. */
async function trained(page, device) {
    await phase(page, "ready");
    await page.select("#model", "report");
    await page.select("#device", device);
    await (await page.$("#data-files")).uploadFile(join(folder, "small.npy"));
    await page.waitForFunction(() => /small\.npy: 2,000 rows, 28 × 28, grey/.test(document.querySelector("#data-told").textContent));
    await set(page, "#epochs", "2");
    await set(page, "#batch-size", "128");
    await page.focus("#start");
    await page.keyboard.press("Enter");
    await phase(page, "running", "over");
    const focused = await page.evaluate(() => document.activeElement.id);
    demand(["start", "pause"].includes(focused), `behind Start the keyboard is at '${focused}'`);
    await phase(page, "over");
    return page.evaluate(() => gpuAe.state.metrics);
}

function compared(device, metrics) {
    demand(metrics.length === expected.length, `${device}: ${metrics.length} epochs, expected ${expected.length}`);
    let worst = 0;
    for (const [place, epoch] of metrics.entries()) {
        for (const key of ["train_loss", "test_loss", "train_mse", "test_mse"]) {
            const share = Math.abs(epoch[key] / expected[place][key] - 1);
            demand(share <= TOLERANCE, `${device}: ${key} of epoch ${place + 1} is ${epoch[key]}, expected ${expected[place][key]}`);
            worst = Math.max(worst, share);
        }
    }
    console.log(`${device}: losses of two epochs as the program's within ${worst.toExponential(1)}`);
}

/** Bytes of the checkpoint of now. */
const checkpoint = (page) =>
    page.evaluate(async () => Array.from(new Uint8Array((await gpuAe.ask("checkpoint")).bytes))).then((b) => Buffer.from(b));

try {
    const page = await opened();
    compared("GPU", await trained(page, "gpu"));
    writeFileSync(join(folder, "page.safetensors"), await checkpoint(page));

    // One row looked at, and one neuron less.
    const looked = await page.evaluate(async () => {
        const { code, made } = await gpuAe.ask("look", { pixels: new Float32Array(784).fill(0.5) });
        const whole = await gpuAe.ask("without", { units: [] });
        const lost = await gpuAe.ask("without", { units: [[0, 0], [0, 1], [0, 2], [0, 3], [0, 4], [0, 5], [0, 6], [0, 7]] });
        return { code: code.length, made: made.length, whole, lost };
    });
    demand(looked.code === 20 && looked.made === 784, `a row became ${looked.code} numbers and ${looked.made} pixels`);
    demand(looked.whole.before === looked.whole.after, "nothing was removed, and something is lost");
    demand(looked.lost.after !== looked.lost.before, "eight neurons were removed, and nothing has changed");
    const after = await checkpoint(page);
    demand(after.equals(readFileSync(join(folder, "page.safetensors"))), "looking at a network has changed it");
    await page.screenshot({ path: join(folder, "page.png"), fullPage: true });
    await page.setViewport({ width: 360, height: 740 });
    await page.screenshot({ path: join(folder, "page-360.png"), fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    demand(wide <= 360, `the page is ${wide} pixels wide on a screen of 360`);

    // A reload finds the run again.
    await page.reload();
    await phase(page, "paused", "over", "ready");
    await page.waitForFunction(() => window.gpuAe.state.metrics.length === 2, { timeout: 60_000 });
    await page.close();

    const other = await opened();
    await other.evaluate(() => indexedDB.deleteDatabase("gpu-ae"));
    await other.reload();
    compared("CPU", await trained(other, "cpu"));

    // Files that are none are found out at once, and change nothing.
    writeFileSync(join(folder, "broken.npy"), "no array");
    await (await other.$("#data-files")).uploadFile(join(folder, "broken.npy"));
    await other.waitForFunction(() => /broken\.npy: /.test(document.querySelector("#status").textContent));
    await (await other.$("#upload")).uploadFile(join(folder, "page.png"));
    await other.waitForFunction(() => /not a checkpoint of gpu-ae/.test(document.querySelector("#status").textContent));
    demand(await other.evaluate(() => gpuAe.state.data.name === "small.npy" && gpuAe.state.metrics.length === 2), "a broken file has changed something");

    // The CPU device lets itself be asked while it trains, and a failed network is not kept.
    await set(other, "#epochs", "10000");
    await other.click("#start");
    await phase(other, "running");
    demand(asked.length === 2 && /2 epochs behind it is replaced/.test(asked[1]), `it asked: ${asked.join("; ")}`);
    await other.waitForFunction(() => gpuAe.state.metrics.length > 2 && gpuAe.state.checkpoint, { timeout: 30_000 });
    await other.click("#pause");
    await phase(other, "paused");
    const before = await other.evaluate(() => gpuAe.state.metrics.length);
    await set(other, "#lr", "1e30");
    await other.click("#pause");
    await other.waitForFunction(() => gpuAe.state.phase === "failed", { timeout: 30_000 });
    const refused = await other.evaluate(() => gpuAe.ask("checkpoint").catch(String));
    demand(/has failed/.test(refused), `a checkpoint of a failed network: ${refused}`);
    await set(other, "#lr", "0.001");
    await other.click("#pause");
    await phase(other, "running");
    await other.waitForFunction((before) => gpuAe.state.metrics.length > before + 2, { timeout: 30_000 }, before);
    await other.click("#pause");
    await phase(other, "paused");

    // The program's own checkpoint goes on here.
    const native = Array.from(readFileSync(join(folder, "native.safetensors")));
    const images = Array.from(readFileSync(join(folder, "small.npy")));
    const table = Array.from(readFileSync(join(folder, "table.safetensors")));
    const resumed = await other.evaluate(async (native, images, table) => {
        const buffer = (bytes) => new Uint8Array(bytes).buffer;
        const data = { kind: "npy", name: "small.npy", images: buffer(images), labels: null };
        const { epoch, step, model } = await gpuAe.ask("resume", { bytes: buffer(native), device: "cpu", data, metrics: [] });
        const damaged = new Uint8Array(native);
        damaged[damaged.length - 1] ^= 1;
        const refused = await gpuAe.ask("resume", { bytes: damaged.buffer, device: "cpu", data, metrics: [] }).catch(String);
        const ofTable = await gpuAe.ask("resume", { bytes: buffer(table), device: "cpu", data: null, metrics: [] }).catch(String);
        return { epoch, step, model, refused, ofTable };
    }, native, images, table);
    demand(resumed.epoch === 2 && resumed.model === "report", `resumed: ${JSON.stringify(resumed)}`);
    demand(/damaged/.test(resumed.refused), `a damaged checkpoint: ${resumed.refused}`);
    demand(/on a table/.test(resumed.ofTable), `a checkpoint of a table: ${resumed.ofTable}`);
    demand(problems.length === 0, problems.join("\n"));
    console.log(`page: ${size} bytes compressed; checkpoints go both ways`);
} finally {
    await browser.close();
    server.close();
}
