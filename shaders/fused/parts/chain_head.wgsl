// The head of the kernels of narrow layers, forward and back. Needs ENTRIES (of the table) and TILE.
struct Params {
    layers: u32,
    batch: u32,
    inputs: u32, // of the first layer
    tiles: u32,
    layer_table: array<vec4<u32>, 3u * ENTRIES>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> weights: array<f32>; // span: parameters

// The first sample of a workgroup. Groups past the end repeat the last tile, since all must meet at the barriers.
fn first_sample(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return min(group_index(group, groups), params.tiles - 1u) * TILE;
}
