//!use index reduce
// Activeness of each neuron: a[i] = Σ_j |W[i · neuron_stride + j · term_stride]| + bias_weight · |b[i]|.
// One workgroup a neuron; strides select rows (incoming weights) or columns (outgoing weights).

struct Params {
    neurons: u32,
    terms: u32,
    neuron_stride: u32,
    term_stride: u32,
    bias_weight: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;       // [rows, columns]
@group(0) @binding(2) var<storage, read> b: array<f32>;       // [neurons]
@group(0) @binding(3) var<storage, read_write> a: array<f32>; // [neurons]

const WORKGROUP: u32 = 32u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    // Groups past the end repeat the last neuron, since all must meet at the barriers.
    let i = min(group_index(group, groups), params.neurons - 1u);
    var sum = 0.0;
    for (var j = lane; j < params.terms; j += WORKGROUP) {
        sum += abs(w[i * params.neuron_stride + j * params.term_stride]);
    }
    let total = reduce_sum(lane, sum);
    if lane == 0u {
        a[i] = total + params.bias_weight * abs(b[i]);
    }
}
