//!use index clock soft_assignment
// Gradient of the five totals of soft assignments; formulas in src/ops/entropy/softmax_entropy_grad.rs.
// One invocation a row: a first walk over the columns takes the row's two sums, a second writes.

@group(0) @binding(3) var<storage, read> row_max: array<f32>;     // [m]
@group(0) @binding(4) var<storage, read> row_log_sum: array<f32>; // [m]
@group(0) @binding(5) var<storage, read> row_h: array<f32>;       // [m]
@group(0) @binding(6) var<storage, read> column_lse: array<f32>;  // [n]
@group(0) @binding(7) var<storage, read> dtotals: array<f32>;     // [5]
@group(0) @binding(8) var<storage, read_write> dx: array<f32>;    // [m, n]

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
        let log_share = log_q(first + k, row_max[row], row_log_sum[row]);
        responsibilities += exp(log_share - column_lse[k]);
        cross += exp(log_share) * (column_lse[k] - log_rows);
    }
    for (var k = 0u; k < params.n; k++) {
        let log_share = log_q(first + k, row_max[row], row_log_sum[row]);
        let q = exp(log_share);
        let responsibility = exp(log_share - column_lse[k]);
        let log_mean = column_lse[k] - log_rows;
        let gradient = (dtotals[0] + dtotals[4] / f32(rows)) * q * (log_share + row_h[row])
            + dtotals[1] * (f32(params.n) * q - 1.0)
            + dtotals[2] * (q * responsibilities - responsibility)
            + dtotals[3] / f32(rows) * q * (cross - log_mean);
        dx[first + k] = params.beta * gradient;
    }
}
