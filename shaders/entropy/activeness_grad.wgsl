//!use index
// Gradient of the activeness: dW = sign(W) · da of the neuron, db = bias_weight · sign(b) · da; set,
// or added to what another term has left. The first invocations take the weights, the rest the
// biases.

struct Params {
    weights: u32,
    neurons: u32,
    divide: u32,  // neuron of weight i: (i / divide) mod modulus
    modulus: u32,
    bias_weight: f32,
    add: u32,     // 1: add to dw and db
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;        // [rows, columns]
@group(0) @binding(2) var<storage, read> b: array<f32>;        // [neurons]
@group(0) @binding(3) var<storage, read> da: array<f32>;       // [neurons]
@group(0) @binding(4) var<storage, read_write> dw: array<f32>; // [rows, columns]
@group(0) @binding(5) var<storage, read_write> db: array<f32>; // [neurons]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i < params.weights {
        let gradient = sign(w[i]) * da[(i / params.divide) % params.modulus];
        var before = 0.0;
        if params.add == 1u {
            before = dw[i];
        }
        dw[i] = before + gradient;
    } else if i < params.weights + params.neurons {
        let j = i - params.weights;
        var before = 0.0;
        if params.add == 1u {
            before = db[j];
        }
        db[j] = before + params.bias_weight * sign(b[j]) * da[j];
    }
}
