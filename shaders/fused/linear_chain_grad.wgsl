//!use index activation_value activation_slope chain_head network_tile network_layers
// Gradients of the inputs of several narrow linear layers in one kernel, from the last layer's back to the
// first one's: the way back of `linear_chain`. Deltas replace activations in workgroup memory.
//
// One entry below the first layer's stands for what made x: its outputs are x, its deltas dx.
//
// Header: WORKGROUP, FLOATS (neurons of a sample), ENTRIES (one more than there are layers). Samples:
// samples4. Weights at binding 2: chain_head.

@group(0) @binding(1) var<storage, read> dy: array<f32>;              // [batch, outputs of the last layer]
@group(0) @binding(3) var<storage, read> x: array<f32>;               // [batch, inputs of the first layer]
@group(0) @binding(4) var<storage, read> h: array<f32>;               // span: outputs of all layers but the last
@group(0) @binding(5) var<storage, read_write> workspace: array<f32>; // span: gradients of the layers' inputs

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let sample = first_sample(group, groups);
    for (var i = 0u; i <= params.layers; i++) {
        let layer = layer_at(i);
        for (var j = lane; j < layer.outputs; j += WORKGROUP) {
            for (var s = 0u; s < TILE; s++) {
                let row = min(sample + s, params.batch - 1u);
                if i == 0u {
                    neurons[layer.above + j][s] = x[row * layer.outputs + j];
                } else if i == params.layers {
                    neurons[layer.above + j][s] = dy[row * layer.outputs + j];
                } else {
                    neurons[layer.above + j][s] = h[layer.values + row * layer.outputs + j];
                }
            }
        }
    }
    workgroupBarrier();
    for (var i = params.layers; i > 0u; i--) {
        backward_layer(lane, sample, layer_at(i), layer_at(i - 1u));
    }
}
