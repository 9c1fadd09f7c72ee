//!use index pool_params
// What an image has where another one was largest, an invocation a result.

@group(0) @binding(1) var<storage, read> v: array<f32>;       // [N, H, W, C]
@group(0) @binding(2) var<storage, read> place: array<u32>;   // [N, H', W', C]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [N, H', W', C]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups) * WORKGROUP + lane;
    if element >= params.elements {
        return;
    }
    let at = place_of(element / params.channels, params.output);
    let pixel = at.x * params.size.x * params.size.y + place[element];
    y[element] = v[pixel * params.channels + element % params.channels];
}
