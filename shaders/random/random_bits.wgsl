//!use index clock threefry draw
// Random words of the current step.

@group(0) @binding(2) var<storage, read_write> bits: array<u32>; // [n]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if 2u * i >= params.n {
        return;
    }
    let pair = draw(i);
    bits[2u * i] = pair.x;
    if 2u * i + 1u < params.n {
        bits[2u * i + 1u] = pair.y;
    }
}
