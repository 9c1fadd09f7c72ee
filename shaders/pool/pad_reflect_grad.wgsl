//!use index reflect_params
// The gradient of images with their own reflection around them, an invocation a pixel and channel of the image: it adds up
// itself and its reflections, of which there are at most two along each axis.

@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [N, H + 2p, W + 2p, C]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>; // [N, H, W, C]

const WORKGROUP: u32 = 64u;
const NOWHERE: u32 = 0xffffffffu;

// Where a pixel lies in the result along one axis: itself, before it, behind it.
fn reflections(pixel: u32, size: u32) -> vec3<u32> {
    let p = params.padding;
    let before = select(NOWHERE, p - pixel, pixel > 0u && pixel <= p);
    let left = size - 1u - pixel;
    let behind = select(NOWHERE, p + size - 1u + left, left > 0u && left <= p);
    return vec3<u32>(p + pixel, before, behind);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups) * WORKGROUP + lane;
    if element >= params.elements {
        return;
    }
    let pixel = element / params.channels;
    let image = pixel / (params.size.x * params.size.y);
    let size = params.size + 2u * params.padding;
    let rows = reflections((pixel / params.size.y) % params.size.x, params.size.x);
    let columns = reflections(pixel % params.size.y, params.size.y);
    var sum = 0.0;
    for (var a = 0u; a < 3u; a++) {
        for (var b = 0u; b < 3u; b++) {
            if rows[a] != NOWHERE && columns[b] != NOWHERE {
                let seeing = (image * size.x + rows[a]) * size.y + columns[b];
                sum += dy[seeing * params.channels + element % params.channels];
            }
        }
    }
    dx[element] = sum;
}
