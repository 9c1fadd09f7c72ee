// Asks Dawn, the WebGPU of Chrome, what it says of shaders: `node browser.mjs LIBRARY FILE…`, where LIBRARY is the
// index.js of the npm package webgpu. Every file that it refuses becomes a line, `FILE: why`; the last line counts all.
//
// A shader is read by tint and made a pipeline, of a device that has WebGPU's default limits and no feature that the
// shader does not enable. The device is Dawn's null one: everything is checked as anywhere, and nothing runs.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [library, ...files] = process.argv.slice(2);
const { create } = await import(pathToFileURL(library));
// Held as long as the process lives: everything else is part of it, and dies with it when it is collected.
globalThis.gpu = create(['backend=null']);
const devices = new Map();

async function deviceWith(feature) {
  if (!devices.has(feature)) {
    // An adapter makes one device only.
    const adapter = await gpu.requestAdapter();
    devices.set(feature, await adapter.requestDevice({ requiredFeatures: feature ? [feature] : [] }));
  }
  return devices.get(feature);
}

async function refusal(code) {
  const device = await deviceWith(/^enable subgroups;/.test(code) ? 'subgroups' : '');
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  device.createComputePipeline({ layout: 'auto', compute: { module } });
  const refused = await device.popErrorScope();
  return refused?.message;
}

for (const file of files) {
  const why = await refusal(readFileSync(file, 'utf8'));
  if (why) console.log(`${file}: ${why.replace(/\s+/g, ' ')}`);
}
console.log(`${files.length} shaders read`);
// Dawn's own threads would go on.
process.exit(0);
