//!use index safe_math gaussian_bin
// Gradient of the bits of whole numbers under Gaussians, by the numbers and by the scales.

struct Params {
    n: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> z: array<f32>;        // [n]
@group(0) @binding(2) var<storage, read> mean: array<f32>;     // [n]
@group(0) @binding(3) var<storage, read> scale: array<f32>;    // [n]
@group(0) @binding(4) var<storage, read> dy: array<f32>;       // [n]
@group(0) @binding(5) var<storage, read_write> dz: array<f32>; // [n]
@group(0) @binding(6) var<storage, read_write> ds: array<f32>; // [n]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    let difference = z[i] - mean[i];
    let x = abs(difference);
    let s = scale[i];
    let rest = -expm1(-x / (s * s)); // 1 − e
    let slope = dy[i] * gaussian_bin(x, s).density / (s * LN_2);
    dz[i] = select(-1.0, 1.0, difference > 0.0) * slope * rest;
    ds[i] = slope * (1.0 - 0.5 * rest - x * rest) / s;
}
