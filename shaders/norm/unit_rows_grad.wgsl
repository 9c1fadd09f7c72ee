//!use index reduce
// What of a gradient is across each row of length 1, over the length that the row had, one workgroup a row.

struct Params {
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;        // [rows, columns]
@group(0) @binding(2) var<storage, read> lengths: array<f32>;  // [rows]
@group(0) @binding(3) var<storage, read> dy: array<f32>;       // [rows, columns]
@group(0) @binding(4) var<storage, read_write> dx: array<f32>; // [rows, columns]

const WORKGROUP: u32 = 32u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    // Groups past the end repeat the last row, since all must meet at the barriers.
    let row = min(group_index(group, groups), params.rows - 1u);
    let first = row * params.columns;
    var sum = 0.0;
    for (var k = lane; k < params.columns; k += WORKGROUP) {
        sum += y[first + k] * dy[first + k];
    }
    let along = reduce_sum(lane, sum);
    for (var k = lane; k < params.columns; k += WORKGROUP) {
        dx[first + k] = (dy[first + k] - y[first + k] * along) * lengths[row];
    }
}
