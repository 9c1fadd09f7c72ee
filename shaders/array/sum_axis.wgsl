//!use index
// Sums of a matrix along one axis: y[i] = Σ_j x[i · output_stride + j · term_stride], terms in rising
// order.

struct Params {
    outputs: u32,
    terms: u32,
    output_stride: u32,
    term_stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [m, n]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [outputs]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.outputs {
        return;
    }
    var sum = 0.0;
    for (var j = 0u; j < params.terms; j++) {
        sum += x[i * params.output_stride + j * params.term_stride];
    }
    y[i] = sum;
}
