//!use index clock
// Each valid row's share in a mean over rows: x over the number of valid rows; rows of padding become 0.

struct Params {
    n: u32,
    columns: u32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [rows, columns]
@group(0) @binding(2) var<storage, read> clock: array<u32>;   // [16]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [rows, columns]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    let valid = clock[CLOCK_VALID_ROWS] * params.rows_per_sample;
    y[i] = select(0.0, x[i] / f32(max(valid, 1u)), i / params.columns < valid);
}
