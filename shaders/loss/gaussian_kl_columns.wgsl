//!use index clock reduce expm1
// Divergence of each dimension from the standard normal distribution, mean over the valid samples, one
// workgroup a dimension.

struct Params {
    columns: u32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> mean: array<f32>;         // [rows, columns]
@group(0) @binding(2) var<storage, read> log_variance: array<f32>; // [rows, columns]
@group(0) @binding(3) var<storage, read> clock: array<u32>;        // [16]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;      // [columns]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    // Groups past the end repeat the last column, since all must meet at the barriers.
    let column = min(group_index(group, groups), params.columns - 1u);
    let samples = clock[CLOCK_VALID_ROWS];
    let valid = samples * params.rows_per_sample;
    var sum = 0.0;
    for (var row = lane; row < valid; row += WORKGROUP) {
        let i = row * params.columns + column;
        sum += 0.5 * (mean[i] * mean[i] + expm1_rest(log_variance[i]));
    }
    let total = reduce_sum(lane, sum);
    if lane == 0u {
        y[column] = total / f32(max(samples, 1u));
    }
}
