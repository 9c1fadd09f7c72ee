//!use index
// Images blurred along one axis, each by a Gaussian of a deviation drawn for it or not at all; beyond an edge as in a mirror.

struct Params {
    elements: u32, // of y
    values: u32,   // of an image
    stride: u32,   // elements between two pixels of a line
    extent: u32,   // pixels of a line
    radius: u32,
    share: f32,    // of images that are blurred
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [rows, values]
@group(0) @binding(2) var<storage, read> u: array<f32>;       // [rows, 2]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [rows, values]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let at = group_index(group, groups) * WORKGROUP + lane;
    if at >= params.elements {
        return;
    }
    let row = at / params.values;
    if u[2u * row] >= params.share {
        y[at] = x[at];
        return;
    }
    let sigma = 0.1 + 1.9 * u[2u * row + 1u];
    let i = i32(at / params.stride % params.extent);
    let first = at - u32(i) * params.stride;
    let last = i32(params.extent) - 1;
    var sum = 0.0;
    var total = 0.0;
    for (var k = -i32(params.radius); k <= i32(params.radius); k++) {
        let weight = exp(-f32(k * k) / (2.0 * sigma * sigma));
        let mirrored = last - abs(last - abs(i + k));
        sum += weight * x[first + u32(mirrored) * params.stride];
        total += weight;
    }
    y[at] = sum / total;
}
