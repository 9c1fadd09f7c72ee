//!use index reduce
// Rows of X brought to a length, one workgroup a row; a row of zeros stays one. Elements are taken relative to
// the row's largest, so that tiny ones do not square to nothing. Lengths: row_length_same, row_length_table.

struct Params {
    rows: u32,
    columns: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [rows, columns]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [rows, columns]

const WORKGROUP: u32 = 32u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    // Groups past the end repeat the last row, since all must meet at the barriers.
    let row = min(group_index(group, groups), params.rows - 1u);
    let first = row * params.columns;
    var most = 0.0;
    for (var k = lane; k < params.columns; k += WORKGROUP) {
        most = max(most, abs(x[first + k]));
    }
    let largest = reduce_max(lane, most);
    let unit = select(1.0, largest, largest > 0.0);
    var sum = 0.0;
    for (var k = lane; k < params.columns; k += WORKGROUP) {
        let part = x[first + k] / unit;
        sum += part * part;
    }
    let square = reduce_sum(lane, sum);
    let factor = row_length(row) / sqrt(max(square, 1.0));
    for (var k = lane; k < params.columns; k += WORKGROUP) {
        y[first + k] = x[first + k] / unit * factor;
    }
}
