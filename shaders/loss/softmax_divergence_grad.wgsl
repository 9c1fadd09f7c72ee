//!use index clock log_total softmax_rows softmax_pair
// Gradient of the mean divergence of soft assignments by the logits Q: (q − p)/M, one invocation a row.

@group(0) @binding(4) var<storage, read> dy: array<f32>;       // scalar
@group(0) @binding(5) var<storage, read_write> dq: array<f32>; // [m, n]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let row = group_index(group, groups) * WORKGROUP + lane;
    if row >= params.m {
        return;
    }
    let first = row * params.n;
    let rows = clock[CLOCK_VALID_ROWS] * params.rows_per_sample;
    let of_p = log_total(first, params.n, true);
    let of_q = log_total(first, params.n, false);
    for (var k = 0u; k < params.n; k++) {
        let share_p = exp((p[first + k] - of_p.x) - of_p.y);
        let share_q = exp((q[first + k] - of_q.x) - of_q.y);
        dq[first + k] = select(0.0, dy[0] / f32(rows) * (share_q - share_p), row < rows);
    }
}
