//!use reduce sparsity_kinds
// The penalty: the sum of what all neurons add, one workgroup.

struct Params {
    columns: u32,
    kind: u32,
    target_rate: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rates: array<f32>;   // [columns]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [1]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    for (var column = lane; column < params.columns; column += WORKGROUP) {
        sum += sparsity_value(params.kind, params.target_rate, rates[column]);
    }
    let total = reduce_sum(lane, sum);
    if lane == 0u {
        y[0] = total;
    }
}
