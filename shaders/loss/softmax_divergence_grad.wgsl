//!use index clock log_total
// Gradient of the mean divergence of soft assignments by the logits Q: (q − p)/M, one invocation a row.

struct Params {
    m: u32,
    n: u32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> p: array<f32>;        // [m, n]
@group(0) @binding(2) var<storage, read> q: array<f32>;        // [m, n]
@group(0) @binding(3) var<storage, read> clock: array<u32>;    // [16]
@group(0) @binding(4) var<storage, read> dy: array<f32>;       // scalar
@group(0) @binding(5) var<storage, read_write> dq: array<f32>; // [m, n]

const WORKGROUP: u32 = 64u;

fn logit(first: u32, k: u32, of_p: bool) -> f32 {
    if of_p {
        return p[first + k];
    }
    return q[first + k];
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
    let of_p = log_total(first, params.n, true);
    let of_q = log_total(first, params.n, false);
    for (var k = 0u; k < params.n; k++) {
        let share_p = exp((p[first + k] - of_p.x) - of_p.y);
        let share_q = exp((q[first + k] - of_q.x) - of_q.y);
        dq[first + k] = select(0.0, dy[0] / f32(rows) * (share_q - share_p), row < rows);
    }
}
