//!use index reduce
// How far every tensor's step is trusted, given the sums of squares of `lars_norms`: a workgroup for each. Header: TENSORS.

struct Params {
    coefficient: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> shares: array<vec2<f32>>; // [TENSORS, WORKGROUP]
@group(0) @binding(2) var<storage, read_write> trust: array<f32>;  // [TENSORS]

const WORKGROUP: u32 = 64u; // as many as a tensor has shares

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let index = group_index(group, groups);
    let share = shares[min(index, TENSORS - 1u) * WORKGROUP + lane];
    let weights = reduce_sum(lane, share.x);
    let gradients = reduce_sum(lane, share.y);
    if lane == 0u && index < TENSORS {
        // One that is not scaled has sums of 0.
        var scale = 1.0;
        if weights > 0.0 && gradients > 0.0 {
            scale = params.coefficient * sqrt(weights) / sqrt(gradients);
        }
        trust[index] = scale;
    }
}
