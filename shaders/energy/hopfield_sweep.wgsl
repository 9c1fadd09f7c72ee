//!use index reduce
// One sweep over the neurons of a Hopfield network, in order, each deciding on what those before it have become:
// one workgroup a state.

struct Params {
    rows: u32,
    neurons: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [rows, neurons]
@group(0) @binding(2) var<storage, read> weight: array<f32>;  // [neurons, neurons]
@group(0) @binding(3) var<storage, read> bias: array<f32>;    // [neurons]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [rows, neurons]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let row = group_index(group, groups);
    // The whole workgroup leaves or stays, since all must meet at the barriers.
    if row >= params.rows {
        return;
    }
    let first = row * params.neurons;
    for (var j = lane; j < params.neurons; j += WORKGROUP) {
        y[first + j] = x[first + j];
    }
    for (var i = 0u; i < params.neurons; i += 1u) {
        storageBarrier();
        var sum = 0.0;
        for (var j = lane; j < params.neurons; j += WORKGROUP) {
            sum += weight[i * params.neurons + j] * y[first + j];
        }
        let field = reduce_sum(lane, sum) + bias[i];
        if lane == 0u && field != 0.0 {
            y[first + i] = sign(field);
        }
    }
}
