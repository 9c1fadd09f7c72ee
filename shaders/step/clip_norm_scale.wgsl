//!use index reduce safe_math
// Gradients scaled down to a norm, given the sums of squares of `clip_norm_squares`; formulas in
// src/ops/step/clip_norm.rs. Every workgroup adds the shares itself, in the same order.

struct Params {
    vectors: u32,
    limit: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> shares: array<f32>;               // [WORKGROUP]
@group(0) @binding(2) var<storage, read_write> gradient: array<vec4<f32>>; // [vectors]

const WORKGROUP: u32 = 64u; // as many as there are shares
const EACH: u32 = 4u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let squares = reduce_sum(lane, shares[lane]);
    // Infinity is told by its bits, before anything is computed with it.
    let scale = params.limit / (sqrt(select(0.0, squares, is_finite(squares))) + 1e-6);
    if scale >= 1.0 || !is_finite(squares) {
        return;
    }
    let first = group_index(group, groups) * WORKGROUP * EACH + lane;
    for (var k = 0u; k < EACH; k++) {
        let i = first + k * WORKGROUP;
        if i >= params.vectors {
            return;
        }
        gradient[i] *= scale;
    }
}
