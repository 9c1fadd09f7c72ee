//!use index clock nt_xent_pairs
// Gradient of the losses of views by their cosines: what a candidate's share is off, one workgroup a row.

@group(0) @binding(3) var<storage, read> totals: array<f32>;   // [n]
@group(0) @binding(4) var<storage, read> dy: array<f32>;       // [n]
@group(0) @binding(5) var<storage, read_write> dx: array<f32>; // [n, n]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups);
    if i >= params.n {
        return;
    }
    let valid = min(clock[CLOCK_VALID_ROWS], params.n);
    let scale = dy[i] / params.temperature;
    for (var j = lane; j < params.n; j += WORKGROUP) {
        let at = i * params.n + j;
        let share = exp(cosines[at] / params.temperature - totals[i]) - select(0.0, 1.0, j == (i ^ 1u));
        dx[at] = select(0.0, scale * share, i < valid && j < valid && i != j);
    }
}
