//!use index clock activation_slope safe_math
// Reconstruction loss and its gradient over the valid rows of a batch; formulas in
// src/ops/reconstruction_loss.rs.
//
// Every invocation walks elements i, i + invocations, …, writes their gradients and leaves one
// partial sum of the values, already scaled; `sum_all` adds those. Padding rows lie at the end of
// the batch: they add nothing and get a gradient of 0.

struct Params {
    features: u32,
    elements: u32,    // rows · features
    invocations: u32,
    kind: u32,        // 0 mean squared error, 1 sum of squares, 2 cross entropy of logits
    activation: u32,  // whose slope at the prediction multiplies the gradient
    gradient: u32,    // 1: dx is wanted
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> prediction: array<f32>;    // [rows, features]
@group(0) @binding(2) var<storage, read> target_: array<f32>;       // [rows, features]
@group(0) @binding(3) var<storage, read> clock: array<u32>;         // [16]
@group(0) @binding(4) var<storage, read> seed: array<f32>;          // scalar: gradient of the loss
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;      // [rows, features]
@group(0) @binding(6) var<storage, read_write> partial: array<f32>; // [invocations]

const WORKGROUP: u32 = 64u;

fn cross_entropy(logit: f32, x: f32) -> f32 {
    return max(logit, 0.0) - logit * x + log1p(exp(-abs(logit)));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let invocation = group_index(group, groups) * WORKGROUP + lane;
    if invocation >= params.invocations {
        return;
    }
    let rows = clock[CLOCK_VALID_ROWS];
    let valid = rows * params.features;
    let scale = 1.0 / f32(max(select(rows, valid, params.kind == 0u), 1u));
    var slope_scale = 0.0;
    if params.gradient == 1u {
        slope_scale = scale * seed[0];
    }
    var sum = 0.0;
    for (var i = invocation; i < params.elements; i += params.invocations) {
        var slope = 0.0;
        if i < valid {
            let y = prediction[i];
            let x = target_[i];
            if params.kind == 2u {
                sum += cross_entropy(y, x);
                slope = 1.0 / (1.0 + exp(-y)) - x;
            } else {
                sum += (y - x) * (y - x);
                slope = 2.0 * (y - x);
            }
            slope *= slope_scale * activation_slope(params.activation, y);
        }
        if params.gradient == 1u {
            dx[i] = slope;
        }
    }
    partial[invocation] = sum * scale;
}
