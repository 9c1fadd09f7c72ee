//!use index pool_params
// The gradient of a maximum over windows, an invocation a pixel and channel of the image: it adds the results that it won.

@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [N, H', W', C]
@group(0) @binding(2) var<storage, read> place: array<u32>;    // [N, H', W', C]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // [N, H, W, C]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups) * WORKGROUP + lane;
    if element >= params.elements {
        return;
    }
    let c = element % params.channels;
    let at = place_of(element / params.channels, params.size);
    let image = at.x * params.output.x * params.output.y;
    let number = number_in(params.size, at.yz);
    let first = first_seeing(at.yz);
    let last = last_seeing(at.yz);
    var sum = 0.0;
    for (var i = first.x; i <= last.x; i++) {
        for (var j = first.y; j <= last.y; j++) {
            let result = (image + number_in(params.output, vec2<u32>(i, j))) * params.channels + c;
            if place[result] == number {
                sum += dy[result];
            }
        }
    }
    dx[element] = sum;
}
