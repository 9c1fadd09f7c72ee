//!use clock reduce log_total softmax_rows softmax_pair
// Mean over the valid rows of KL(softmax P ‖ softmax Q), by one workgroup.

@group(0) @binding(4) var<storage, read_write> mean: array<f32>; // scalar

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
    let rows = min(clock[CLOCK_VALID_ROWS] * params.rows_per_sample, params.m);
    var sum = 0.0;
    for (var row = lane; row < rows; row += WORKGROUP) {
        let first = row * params.n;
        let of_p = log_total(first, params.n, true);
        let of_q = log_total(first, params.n, false);
        for (var k = 0u; k < params.n; k++) {
            let log_p = (p[first + k] - of_p.x) - of_p.y;
            let log_q = (q[first + k] - of_q.x) - of_q.y;
            sum += exp(log_p) * (log_p - log_q);
        }
    }
    let total = reduce_sum(lane, sum);
    if lane == 0u {
        mean[0] = total / f32(rows);
    }
}
