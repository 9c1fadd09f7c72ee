//!use index clock reduce nt_xent_pairs
// For each view the cross entropy of finding its partner, i with its last bit turned, among all other valid views, one
// workgroup a row; beside it the log of the sum over the candidates, and whether another one is nearer than the partner.

@group(0) @binding(3) var<storage, read_write> losses: array<f32>; // [n]
@group(0) @binding(4) var<storage, read_write> totals: array<f32>; // [n]
@group(0) @binding(5) var<storage, read_write> misses: array<f32>; // [n]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    // Groups past the end repeat the last row, since all must meet at the barriers.
    let i = min(group_index(group, groups), params.n - 1u);
    let valid = min(clock[CLOCK_VALID_ROWS], params.n);
    let first = i * params.n;
    var most = -3.4e38;
    for (var j = lane; j < valid; j += WORKGROUP) {
        most = max(most, select(cosines[first + j] / params.temperature, -3.4e38, j == i));
    }
    let largest = reduce_max(lane, most);
    var sum = 0.0;
    for (var j = lane; j < valid; j += WORKGROUP) {
        sum += select(exp(cosines[first + j] / params.temperature - largest), 0.0, j == i);
    }
    let total = largest + log(reduce_sum(lane, sum));
    if lane == 0u {
        let own = cosines[first + (i ^ 1u)] / params.temperature;
        losses[i] = select(0.0, total - own, i < valid);
        totals[i] = select(0.0, total, i < valid);
        misses[i] = select(0.0, 1.0, i < valid && largest > own);
    }
}
