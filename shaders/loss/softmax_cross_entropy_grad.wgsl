//!use index clock log_total
// Gradient of the mean cross entropy of softmax and labels by the logits: (q − [k is the label]) / v, one
// invocation a row.

struct Params {
    m: u32,
    n: u32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;   // [m, n]
@group(0) @binding(2) var<storage, read> labels: array<u32>;   // [m]
@group(0) @binding(3) var<storage, read> clock: array<u32>;    // [16]
@group(0) @binding(4) var<storage, read> dy: array<f32>;       // scalar
@group(0) @binding(5) var<storage, read_write> dx: array<f32>; // [m, n]

const WORKGROUP: u32 = 64u;

fn logit(first: u32, k: u32, of_p: bool) -> f32 {
    return logits[first + k];
}

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
