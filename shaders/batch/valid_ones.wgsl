//!use index clock
// y[m, n] = 1 for the valid rows of a batch, in one column or in all, else 0.

struct Params {
    n: u32,       // elements
    columns: u32,
    column: u32,  // 2³² − 1: all of them
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> clock: array<u32>;   // [16]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [rows, columns]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    let row = i / params.columns;
    let wanted = params.column == 0xFFFFFFFFu || i % params.columns == params.column;
    y[i] = select(0.0, 1.0, wanted && row < clock[CLOCK_VALID_ROWS] * params.rows_per_sample);
}
