//!use index
// y[i] = x[source] where i is the target, 0 elsewhere: one element of a vector, or a vector that is
// zero but for one element.

struct Params {
    n: u32,      // length of y
    source: u32, // which element of x
    place: u32,  // where in y it goes
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [n]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    y[i] = select(0.0, x[params.source], i == params.place);
}
