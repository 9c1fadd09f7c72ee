//!use index clock reduce column_mean
// Columns of the valid rows brought to mean 0 and variance 1, scaled and shifted; rows of padding become 0. One
// workgroup a column, the variance from what the mean leaves.

struct Params {
    rows: u32,
    columns: u32,
    epsilon: f32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [rows, columns]
@group(0) @binding(2) var<storage, read> scale: array<f32>;         // [columns]
@group(0) @binding(3) var<storage, read> shift: array<f32>;         // [columns]
@group(0) @binding(4) var<storage, read> clock: array<u32>;         // [16]
@group(0) @binding(5) var<storage, read_write> y: array<f32>;       // [rows, columns]
@group(0) @binding(6) var<storage, read_write> moments: array<f32>; // [2, columns]

const WORKGROUP: u32 = 64u;

fn term(i: u32) -> f32 {
    return x[i];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let column = column_of(group, groups);
    let valid = clock[CLOCK_VALID_ROWS] * params.rows_per_sample;
    let count = f32(max(valid, 1u));
    let mean = column_mean(lane, column, valid);
    var squares = 0.0;
    for (var row = lane; row < valid; row += WORKGROUP) {
        let error = x[row * params.columns + column] - mean;
        squares += error * error;
    }
    let variance = reduce_sum(lane, squares) / f32(max(valid, 1u));
    if lane == 0u {
        moments[column] = mean;
        moments[params.columns + column] = variance;
    }
    let factor = scale[column] / sqrt(variance + params.epsilon);
    for (var row = lane; row < params.rows; row += WORKGROUP) {
        let i = row * params.columns + column;
        y[i] = select(0.0, factor * (x[i] - mean) + shift[column], row < valid);
    }
}
