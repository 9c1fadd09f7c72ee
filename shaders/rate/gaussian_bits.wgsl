//!use index safe_math gaussian_bin
// Bits of whole numbers under Gaussians.

struct Params {
    n: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> z: array<f32>;          // [n]
@group(0) @binding(2) var<storage, read> mean: array<f32>;       // [n]
@group(0) @binding(3) var<storage, read> scale: array<f32>;      // [n]
@group(0) @binding(4) var<storage, read_write> bits: array<f32>; // [n]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    bits[i] = -gaussian_bin(abs(z[i] - mean[i]), scale[i]).log / LN_2;
}
