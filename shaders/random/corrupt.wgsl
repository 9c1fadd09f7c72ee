//!use index
// Noise: 0 below the lower bound of a uniform draw, s · x up to the upper one, `above` from there on.

struct Params {
    n: u32,
    above: u32, // 0 or 1
    low: f32,
    high: f32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [n]
@group(0) @binding(2) var<storage, read> u: array<f32>;       // [n], in [0, 1)
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [n]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    let draw = u[i];
    if draw < params.low {
        y[i] = 0.0;
    } else if draw < params.high {
        y[i] = params.scale * x[i];
    } else {
        y[i] = f32(params.above);
    }
}
