//!use index clock soft_assignment log_total
// Row statistics of soft assignments q = softmax(−βX): largest logit, log of the sum relative to it,
// entropy and Σ log q of each row.
// One invocation a row; rows of padding get zeros.

@group(0) @binding(3) var<storage, read_write> row_max: array<f32>;      // [m]
@group(0) @binding(4) var<storage, read_write> row_log_sum: array<f32>;  // [m]
@group(0) @binding(5) var<storage, read_write> row_h: array<f32>;        // [m]
@group(0) @binding(6) var<storage, read_write> row_document: array<f32>; // [m]: Σ_i log q

fn logit(first: u32, k: u32, of_p: bool) -> f32 {
    return -params.beta * x[first + k];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let row = group_index(group, groups) * WORKGROUP + lane;
    if row >= params.m {
        return;
    }
    if row >= clock[CLOCK_VALID_ROWS] * params.rows_per_sample {
        row_max[row] = 0.0;
        row_log_sum[row] = 0.0;
        row_h[row] = 0.0;
        row_document[row] = 0.0;
        return;
    }
    let first = row * params.n;
    let total = log_total(first, params.n, true);
    var h = 0.0;
    var document = 0.0;
    for (var k = 0u; k < params.n; k++) {
        let log_share = log_q(first + k, total.x, total.y);
        h -= exp(log_share) * log_share;
        document += log_share;
    }
    row_max[row] = total.x;
    row_log_sum[row] = total.y;
    row_h[row] = h;
    row_document[row] = document;
}
