//!use index
// Decisions element by element: 1 where a draw is below a probability, else 0; or the sign of a field, which leaves
// the state as it is where it is 0.

struct Params {
    n: u32,
    kind: u32, // 0 Bernoulli, 1 sign
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [n], probabilities or fields
@group(0) @binding(2) var<storage, read> other: array<f32>;   // [n], draws or states
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [n]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    if params.kind == 0u {
        y[i] = select(0.0, 1.0, other[i] < x[i]);
    } else {
        y[i] = select(sign(x[i]), other[i], x[i] == 0.0);
    }
}
