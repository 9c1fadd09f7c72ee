//!use index pool_params
// Means over windows, an invocation a result; padding counts as pixels of 0. Neighbouring invocations have neighbouring
// channels of one pixel.

@group(0) @binding(1) var<storage, read> x: array<f32>;       // [N, H, W, C]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [N, H', W', C]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups) * WORKGROUP + lane;
    if element >= params.elements {
        return;
    }
    let c = element % params.channels;
    let place = place_of(element / params.channels, params.output);
    let image = place.x * params.size.x * params.size.y;
    var sum = 0.0;
    for (var a = 0u; a < params.taps.x; a++) {
        for (var b = 0u; b < params.taps.y; b++) {
            let seen = seen_at(place.yz, vec2<u32>(a, b));
            if all(seen < params.size) {
                sum += x[(image + number_in(params.size, seen)) * params.channels + c];
            }
        }
    }
    y[element] = sum / f32(params.taps.x * params.taps.y);
}
