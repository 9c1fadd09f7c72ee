//!use index reduce
// Rows of X brought to length 1, one workgroup a row, and the reciprocals of the lengths that they had; a row of zeros stays one.
// Elements are taken relative to the row's largest, so that tiny ones do not square to nothing.

struct Params {
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [rows, columns]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;       // [rows, columns]
@group(0) @binding(3) var<storage, read_write> lengths: array<f32>; // [rows]

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
    let root = sqrt(max(reduce_sum(lane, sum), 1.0));
    for (var k = lane; k < params.columns; k += WORKGROUP) {
        y[first + k] = x[first + k] / unit / root;
    }
    if lane == 0u {
        lengths[row] = select(0.0, 1.0 / unit / root, largest > 0.0);
    }
}
