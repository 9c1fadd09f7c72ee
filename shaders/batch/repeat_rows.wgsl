//!use index
// Every row several times, one copy behind the other.

struct Params {
    elements: u32, // of y
    columns: u32,
    times: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [rows, columns]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [rows * times, columns]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.elements {
        return;
    }
    y[i] = x[i / (params.columns * params.times) * params.columns + i % params.columns];
}
