//!use index clock soft_assignment log_total
// Column statistics of soft assignments: L_i = log Σ_m q_mi over the valid rows, as a log-sum-exp of
// log q. One invocation a column, rows in rising order.

@group(0) @binding(3) var<storage, read> row_max: array<f32>;          // [m]
@group(0) @binding(4) var<storage, read> row_log_sum: array<f32>;      // [m]
@group(0) @binding(5) var<storage, read_write> column_lse: array<f32>; // [n]

// A column's logits are the logarithms of q, row by row.
fn logit(column: u32, row: u32, of_p: bool) -> f32 {
    return log_q(row * params.n + column, row_max[row], row_log_sum[row]);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let column = group_index(group, groups) * WORKGROUP + lane;
    if column >= params.n {
        return;
    }
    let total = log_total(column, min(clock[CLOCK_VALID_ROWS] * params.rows_per_sample, params.m), true);
    column_lse[column] = total.x + total.y;
}
