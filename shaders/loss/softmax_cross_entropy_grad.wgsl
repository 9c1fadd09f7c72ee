//!use index clock log_total softmax_rows softmax_labels
// Gradient of the mean cross entropy of softmax and labels by the logits: (q − [k is the label]) / v, one
// invocation a row.

@group(0) @binding(4) var<storage, read> dy: array<f32>;       // scalar
@group(0) @binding(5) var<storage, read_write> dx: array<f32>; // [m, n]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let row = group_index(group, groups) * WORKGROUP + lane;
    if row >= params.m {
        return;
    }
    let first = row * params.n;
    let rows = clock[CLOCK_VALID_ROWS] * params.rows_per_sample;
    let scale = select(0.0, dy[0] / f32(max(rows, 1u)), row < rows);
    let label = min(labels[row], params.n - 1u);
    let total = log_total(first, params.n, true);
    for (var k = 0u; k < params.n; k++) {
        let share = exp((logits[first + k] - total.x) - total.y);
        dx[first + k] = select(0.0, scale * (share - select(0.0, 1.0, k == label)), row < rows);
    }
}
