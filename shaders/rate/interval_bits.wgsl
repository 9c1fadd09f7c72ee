//!use index safe_math logistic_interval
// Bits of intervals of a logistic distribution.

struct Params {
    n: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> upper: array<f32>;      // [n]
@group(0) @binding(2) var<storage, read> lower: array<f32>;      // [n]
@group(0) @binding(3) var<storage, read_write> bits: array<f32>; // [n]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    bits[i] = (softplus(-upper[i]) + softplus(lower[i]) - log1m_exp(upper[i] - lower[i])) / LN_2;
}
