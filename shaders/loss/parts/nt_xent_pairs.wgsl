// What the loss of views and its gradient share: the cosines between them.
struct Params {
    n: u32,
    temperature: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> cosines: array<f32>; // [n, n]
@group(0) @binding(2) var<storage, read> clock: array<u32>;   // [16]

const WORKGROUP: u32 = 64u;
