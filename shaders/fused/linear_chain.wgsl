//!use index activation_value activation_slope network_tile network_layers
// Several narrow linear layers in one kernel: a workgroup takes TILE samples through all of them, each
// layer's outputs staying in workgroup memory as the next one's inputs.
//
// Header: WORKGROUP, FLOATS (neurons of a sample), LAYERS. Samples: samples4.

struct Params {
    layers: u32,
    batch: u32,
    inputs: u32, // of the first layer
    tiles: u32,
    layer_table: array<vec4<u32>, 3u * LAYERS>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;               // [batch, inputs]
@group(0) @binding(2) var<storage, read> weights: array<f32>;         // span: parameters
@group(0) @binding(3) var<storage, read_write> workspace: array<f32>; // span: outputs [batch, width] of each layer

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    // Groups past the end repeat the last tile, since all must meet at the barriers.
    let sample = min(group_index(group, groups), params.tiles - 1u) * TILE;
    for (var k = lane; k < params.inputs; k += WORKGROUP) {
        for (var s = 0u; s < TILE; s++) {
            neurons[k][s] = x[min(sample + s, params.batch - 1u) * params.inputs + k];
        }
    }
    workgroupBarrier();
    for (var i = 0u; i < params.layers; i++) {
        forward_layer(lane, sample, layer_at(i));
    }
}
