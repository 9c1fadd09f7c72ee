//!use index clock
// Mean and covariance of the valid rows, one invocation an element of the covariance. Each finds the two means it
// needs by itself, in one order, so the matrix is symmetric to the last bit.

struct Params {
    columns: u32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> z: array<f32>;                // [rows, columns]
@group(0) @binding(2) var<storage, read> clock: array<u32>;            // [16]
@group(0) @binding(3) var<storage, read_write> mean: array<f32>;       // [columns]
@group(0) @binding(4) var<storage, read_write> covariance: array<f32>; // [columns, columns]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups) * WORKGROUP + lane;
    if element >= params.columns * params.columns {
        return;
    }
    let i = element / params.columns;
    let j = element - i * params.columns;
    let valid = clock[CLOCK_VALID_ROWS] * params.rows_per_sample;
    let count = f32(max(valid, 1u));
    var sums = vec2<f32>(0.0);
    for (var row = 0u; row < valid; row++) {
        sums += vec2<f32>(z[row * params.columns + i], z[row * params.columns + j]);
    }
    let means = sums / count;
    var products = 0.0;
    for (var row = 0u; row < valid; row++) {
        products += (z[row * params.columns + i] - means.x) * (z[row * params.columns + j] - means.y);
    }
    covariance[element] = products / count;
    if i == 0u {
        mean[j] = means.y;
    }
}
