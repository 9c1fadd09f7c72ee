//!use index clock threefry draw unit
// Standard normal numbers of the current step, a pair by Box and Muller from a pair of words.

@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [n]

const TAU: f32 = 6.2831853;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if 2u * i >= params.n {
        return;
    }
    let pair = draw(i);
    let radius = sqrt(-2.0 * log(1.0 - unit(pair.x)));
    let angle = TAU * unit(pair.y);
    y[2u * i] = radius * cos(angle);
    if 2u * i + 1u < params.n {
        y[2u * i + 1u] = radius * sin(angle);
    }
}
