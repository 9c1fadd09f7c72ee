//!use index
// Pixels made of channels, or channels of pixels, an invocation an element of the image with more pixels.

struct Params {
    elements: u32,
    channels: u32,   // of the image with more pixels
    size: vec2<u32>, // height and width of the other one
    factor: u32,
    gather: u32,     // whether pixels become channels
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups) * WORKGROUP + lane;
    if element >= params.elements {
        return;
    }
    let pixel = element / params.channels;
    let size = params.size * params.factor;
    let at = vec2<u32>((pixel / size.y) % size.x, pixel % size.y);
    let small = at / params.factor;
    let within = at % params.factor;
    let whole = (pixel / (size.x * size.y) * params.size.x + small.x) * params.size.y + small.y;
    let channel = whole * params.channels + element % params.channels;
    let place = (channel * params.factor + within.x) * params.factor + within.y;
    if params.gather == 0u {
        y[element] = x[place];
    } else {
        y[place] = x[element];
    }
}
