//!use index activation_value activation_slope chain_head network_tile network_layers
// Several narrow linear layers in one kernel: a workgroup takes TILE samples through all of them, each
// layer's outputs staying in workgroup memory as the next one's inputs.
//
// Header: WORKGROUP, FLOATS (neurons of a sample), ENTRIES (the layers). Samples: samples4. Weights at binding 2: chain_head.

@group(0) @binding(1) var<storage, read> x: array<f32>;               // [batch, inputs]
@group(0) @binding(3) var<storage, read_write> workspace: array<f32>; // span: outputs [batch, width] of each layer

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let sample = first_sample(group, groups);
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
