//!use index clock
// Column statistics of soft assignments: L_i = log Σ_m q_mi over the valid rows, as a log-sum-exp of
// log q. One invocation a column, rows in rising order.

struct Params {
    m: u32,
    n: u32,
    beta: f32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;                // [m, n]
@group(0) @binding(2) var<storage, read> clock: array<u32>;            // [16]
@group(0) @binding(3) var<storage, read> row_max: array<f32>;          // [m]
@group(0) @binding(4) var<storage, read> row_log_sum: array<f32>;      // [m]
@group(0) @binding(5) var<storage, read_write> column_lse: array<f32>; // [n]

const WORKGROUP: u32 = 64u;

fn log_q(row: u32, column: u32) -> f32 {
    return (-params.beta * x[row * params.n + column] - row_max[row]) - row_log_sum[row];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let column = group_index(group, groups) * WORKGROUP + lane;
    if column >= params.n {
        return;
    }
    let rows = min(clock[CLOCK_VALID_ROWS] * params.rows_per_sample, params.m);
    var largest = log_q(0u, column);
    for (var row = 1u; row < rows; row++) {
        largest = max(largest, log_q(row, column));
    }
    var sum = 0.0;
    for (var row = 0u; row < rows; row++) {
        sum += exp(log_q(row, column) - largest);
    }
    column_lse[column] = largest + log(sum);
}
