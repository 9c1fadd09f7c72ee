//!use index
// y[i] = act(x[i]).

struct Params {
    n: u32,
    kind: u32, // 0 identity, 1 relu, 2 sigmoid
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [n]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [n]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    var value = x[i];
    if params.kind == 1u {
        value = select(value, 0.0, value < 0.0); // not max: a NaN passes, so that the loss can show it
    } else if params.kind == 2u {
        value = 1.0 / (1.0 + exp(-value));
    }
    y[i] = value;
}
