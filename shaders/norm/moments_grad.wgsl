//!use index clock
// Gradient through mean and covariance, one invocation an element of the rows; rows of padding get none.

struct Params {
    rows: u32,
    columns: u32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> z: array<f32>;            // [rows, columns]
@group(0) @binding(2) var<storage, read> clock: array<u32>;        // [16]
@group(0) @binding(3) var<storage, read> mean: array<f32>;         // [columns]
@group(0) @binding(4) var<storage, read> d_mean: array<f32>;       // [columns]
@group(0) @binding(5) var<storage, read> d_covariance: array<f32>; // [columns, columns]
@group(0) @binding(6) var<storage, read_write> d: array<f32>;      // [rows, columns]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups) * WORKGROUP + lane;
    if element >= params.rows * params.columns {
        return;
    }
    let n = params.columns;
    let row = element / n;
    let j = element - row * n;
    let valid = clock[CLOCK_VALID_ROWS] * params.rows_per_sample;
    var sum = 0.0;
    if row < valid {
        sum = d_mean[j];
        for (var k = 0u; k < n; k++) {
            sum += (z[row * n + k] - mean[k]) * (d_covariance[k * n + j] + d_covariance[j * n + k]);
        }
    }
    d[element] = sum / f32(max(valid, 1u));
}
