//!use index
// Two matrices of rows of one width, one behind the other.

struct Params {
    first: u32, // elements of a
    all: u32,   // elements of y
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;       // [first]
@group(0) @binding(2) var<storage, read> b: array<f32>;       // [all - first]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [all]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.all {
        return;
    }
    if i < params.first {
        y[i] = a[i];
    } else {
        y[i] = b[i - params.first];
    }
}
