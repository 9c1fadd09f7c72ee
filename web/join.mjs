// Joins the page, its worker and the library into one file: node join.mjs FOLDER-OF-WASM-BINDGEN FOLDER-TO-WRITE
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const [made, to] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const page = (name) => readFileSync(join(here, "page", name), "utf8");
/** No text within a script may end it. */
const within = (text) => text.replaceAll("</script", "<\\/script");

const wasm = gzipSync(readFileSync(join(made, "gpu_ae_web_bg.wasm")), { level: 9 });
const glue = readFileSync(join(made, "gpu_ae_web.js"), "utf8");
const worker = `${glue}\n${readFileSync(join(here, "worker.js"), "utf8")}`;
const parts =
    `<script type="text/plain" id="worker-source">${within(worker)}</script>\n` +
    `<script type="text/plain" id="wasm">${wasm.toString("base64")}</script>\n`;

let html = page("index.html");
html = html.replace(/<link rel="stylesheet" href="([^"]+)">/g, (_, name) => `<style>\n${page(name)}</style>`);
// What the page's own scripts look for stands before them.
let isFirst = true;
html = html.replace(/<script src="([^"]+)"><\/script>/g, (_, name) => {
    const before = isFirst ? parts : "";
    isFirst = false;
    return `${before}<script>\n${within(page(name))}</script>`;
});
if (isFirst || /(?:src|href)="(?!#|data:)/.test(html.replaceAll(/<script[\s\S]*?<\/script>/g, ""))) {
    throw new Error("index.html: something is left that is not inside");
}
mkdirSync(to, { recursive: true });
writeFileSync(join(to, "index.html"), html);
const compressed = gzipSync(html, { level: 9 }).length;
console.log(`${join(to, "index.html")}: ${html.length} bytes, ${compressed} compressed, ${wasm.length} of them the library`);
