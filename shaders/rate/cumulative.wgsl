//!use index safe_math cumulative_way
// Logits of a learnt cumulative distribution for each column.

@group(0) @binding(3) var<storage, read_write> logits: array<f32>; // [rows, columns]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    logits[i] = cumulative_way(z[i], i % params.columns);
}
