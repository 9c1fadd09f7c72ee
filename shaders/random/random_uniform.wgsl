//!use index clock threefry draw unit
// Uniform numbers of the current step, multiples of 2^-24 in [0, 1).

@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [n]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if 2u * i >= params.n {
        return;
    }
    let pair = draw(i);
    y[2u * i] = unit(pair.x);
    if 2u * i + 1u < params.n {
        y[2u * i + 1u] = unit(pair.y);
    }
}
