//!use index
// A scalar, a row or a column spread over a matrix: y[i] = x[(i / divide) mod modulus].

struct Params {
    elements: u32, // of y
    divide: u32,   // 1 for a row or a scalar, the number of columns for a column
    modulus: u32,  // length of x
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [modulus]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [elements]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.elements {
        return;
    }
    y[i] = x[(i / params.divide) % params.modulus];
}
