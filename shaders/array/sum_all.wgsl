//!use reduce
// Sums of a vector, one of each workgroup's strided share. With one group: the sum.
//
// Order of addition: every invocation adds its own elements in rising order, then the workgroup adds
// its invocations in a tree. Nothing depends on scheduling.

struct Params {
    n: u32,
    shares: u32, // workgroups, and elements of y
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [n]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [shares]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let stride = params.shares * WORKGROUP;
    var sum = 0.0;
    for (var i = group.x * WORKGROUP + lane; i < params.n; i += stride) {
        sum += x[i];
    }
    let total = reduce_sum(lane, sum);
    if lane == 0u {
        y[group.x] = total;
    }
}
