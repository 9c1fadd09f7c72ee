//!use index reflect_params
// Images with their own reflection around them, an invocation a result.

@group(0) @binding(1) var<storage, read> x: array<f32>;       // [N, H, W, C]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [N, H + 2p, W + 2p, C]

const WORKGROUP: u32 = 64u;

// The pixel that lies at a place of the result, along one axis.
fn reflected(at: u32, size: u32) -> u32 {
    let distance = max(at, params.padding) - min(at, params.padding);
    return select(distance, 2u * (size - 1u) - distance, at > params.padding && distance >= size);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups) * WORKGROUP + lane;
    if element >= params.elements {
        return;
    }
    let pixel = element / params.channels;
    let size = params.size + 2u * params.padding;
    let row = reflected((pixel / size.y) % size.x, params.size.x);
    let column = reflected(pixel % size.y, params.size.y);
    let seen = (pixel / (size.x * size.y) * params.size.x + row) * params.size.y + column;
    y[element] = x[seen * params.channels + element % params.channels];
}
