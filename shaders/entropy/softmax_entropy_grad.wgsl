//!use index clock
// Gradient of the five totals of soft assignments; formulas in src/ops/softmax_entropy_grad.rs.
// One invocation a row: a first walk over the columns takes the row's two sums, a second writes.

struct Params {
    m: u32,
    n: u32,
    beta: f32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // [m, n]
@group(0) @binding(2) var<storage, read> clock: array<u32>;       // [16]
@group(0) @binding(3) var<storage, read> row_max: array<f32>;     // [m]
@group(0) @binding(4) var<storage, read> row_log_sum: array<f32>; // [m]
@group(0) @binding(5) var<storage, read> row_h: array<f32>;       // [m]
@group(0) @binding(6) var<storage, read> column_lse: array<f32>;  // [n]
@group(0) @binding(7) var<storage, read> dtotals: array<f32>;     // [5]
@group(0) @binding(8) var<storage, read_write> dx: array<f32>;    // [m, n]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let row = group_index(group, groups) * WORKGROUP + lane;
    if row >= params.m {
        return;
    }
    let first = row * params.n;
    let rows = clock[CLOCK_VALID_ROWS] * params.rows_per_sample;
    if row >= rows {
        for (var k = 0u; k < params.n; k++) {
            dx[first + k] = 0.0;
        }
        return;
    }
    let log_rows = log(f32(rows));
    var responsibilities = 0.0; // Σ_i r_mi
    var cross = 0.0;            // Σ_i q_i log q̄_i
    for (var k = 0u; k < params.n; k++) {
        let log_q = (-params.beta * x[first + k] - row_max[row]) - row_log_sum[row];
        responsibilities += exp(log_q - column_lse[k]);
        cross += exp(log_q) * (column_lse[k] - log_rows);
    }
    for (var k = 0u; k < params.n; k++) {
        let log_q = (-params.beta * x[first + k] - row_max[row]) - row_log_sum[row];
        let q = exp(log_q);
        let responsibility = exp(log_q - column_lse[k]);
        let log_mean = column_lse[k] - log_rows;
        let gradient = (dtotals[0] + dtotals[4] / f32(rows)) * q * (log_q + row_h[row])
            + dtotals[1] * (f32(params.n) * q - 1.0)
            + dtotals[2] * (q * responsibilities - responsibility)
            + dtotals[3] / f32(rows) * q * (cross - log_mean);
        dx[first + k] = params.beta * gradient;
    }
}
