//!use index pool_params
// The gradient of means over windows, an invocation a pixel and channel of the image: it adds the results that see it.

@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [N, H', W', C]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>; // [N, H, W, C]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups) * WORKGROUP + lane;
    if element >= params.elements {
        return;
    }
    let c = element % params.channels;
    let place = place_of(element / params.channels, params.size);
    let image = place.x * params.output.x * params.output.y;
    let first = first_seeing(place.yz);
    let last = last_seeing(place.yz);
    var sum = 0.0;
    for (var i = first.x; i <= last.x; i++) {
        for (var j = first.y; j <= last.y; j++) {
            let at = vec2<u32>(i, j);
            // A window may reach over a pixel without looking at it.
            let left = (place.yz + params.padding - at * params.stride) % params.dilation;
            if all(left == vec2<u32>(0u)) {
                sum += dy[(image + number_in(params.output, at)) * params.channels + c];
            }
        }
    }
    dx[element] = sum / f32(params.taps.x * params.taps.y);
}
