//!use index clock expm1
// Gradient of the divergence from the standard normal distribution; rows of padding get none.

struct Params {
    n: u32, // elements
    columns: u32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> mean: array<f32>;                  // [rows, columns]
@group(0) @binding(2) var<storage, read> log_variance: array<f32>;          // [rows, columns]
@group(0) @binding(3) var<storage, read> clock: array<u32>;                 // [16]
@group(0) @binding(4) var<storage, read> dy: array<f32>;                    // [1]
@group(0) @binding(5) var<storage, read_write> d_mean: array<f32>;          // [rows, columns]
@group(0) @binding(6) var<storage, read_write> d_log_variance: array<f32>;  // [rows, columns]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    let samples = clock[CLOCK_VALID_ROWS];
    let valid = samples * params.rows_per_sample;
    let scale = select(0.0, dy[0] / f32(max(samples, 1u)), i / params.columns < valid);
    d_mean[i] = scale * mean[i];
    d_log_variance[i] = 0.5 * scale * (expm1_rest(log_variance[i]) + log_variance[i]);
}
