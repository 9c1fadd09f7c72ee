//!use index clock reduce column_mean expm1
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

fn term(i: u32) -> f32 {
    return 0.5 * (mean[i] * mean[i] + expm1_rest(log_variance[i]));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let column = column_of(group, groups);
    let samples = clock[CLOCK_VALID_ROWS];
    let divergence = column_sum(lane, column, samples * params.rows_per_sample) / f32(max(samples, 1u));
    if lane == 0u {
        y[column] = divergence;
    }
}
