//!use index pool_params
// The largest of a window and its number in the image, an invocation a result. Of equal ones the first wins, row by row; NaN
// wins over everything. Padding is no pixel, so it never does.

@group(0) @binding(1) var<storage, read> x: array<f32>;           // [N, H, W, C]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;     // [N, H', W', C]
@group(0) @binding(3) var<storage, read_write> place: array<u32>; // [N, H', W', C]

const WORKGROUP: u32 = 64u;

// WGSL lets a compiler assume that NaN never happens, so only the bits tell.
fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7FFFFFFFu) > 0x7F800000u;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups) * WORKGROUP + lane;
    if element >= params.elements {
        return;
    }
    let c = element % params.channels;
    let at = place_of(element / params.channels, params.output);
    let image = at.x * params.size.x * params.size.y;
    var largest = 0.0;
    var winner = OUTSIDE;
    for (var a = 0u; a < params.taps.x; a++) {
        for (var b = 0u; b < params.taps.y; b++) {
            let seen = seen_at(at.yz, vec2<u32>(a, b));
            if all(seen < params.size) {
                let number = number_in(params.size, seen);
                let value = x[(image + number) * params.channels + c];
                let wins = !is_nan(largest) && (is_nan(value) || value > largest);
                if wins || winner == OUTSIDE {
                    largest = value;
                    winner = number;
                }
            }
        }
    }
    y[element] = largest;
    place[element] = winner;
}
