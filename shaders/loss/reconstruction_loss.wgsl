//!use index clock activation_slope safe_math
// Reconstruction loss and its gradient over the valid rows of a batch; formulas in
// src/ops/loss/reconstruction_loss.rs.
//
// The batch is one array of vectors of four. Every invocation walks vectors i, i + invocations, …,
// writes their gradients and leaves one partial sum of the values, already scaled; `sum_all` adds
// those. Padding rows lie at the end of the batch, and what fills up the last vector after them: they
// add nothing and get a gradient of 0.
//
// Prediction: prediction_buffer or prediction_texels. Target: target_vec4 or target_texels, or target_gather where it comes
// from the data set.

struct Params {
    features: u32,
    vectors: u32,     // ⌈rows · features / 4⌉
    invocations: u32,
    kind: u32,        // 0 mean squared error, 1 sum of squares, 2 cross entropy of logits
    activation: u32,  // whose slope at the prediction multiplies the gradient
    gradient: u32,    // 1: dx is wanted
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// Bindings 1 and 2 are prediction and target [vectors].
@group(0) @binding(3) var<storage, read> clock: array<u32>;         // [16]
@group(0) @binding(4) var<storage, read> seed: array<f32>;          // scalar: gradient of the loss
@group(0) @binding(5) var<storage, read_write> dx: array<vec4<f32>>;      // [vectors]
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
    let samples = clock[CLOCK_VALID_ROWS];
    let valid = samples * params.rows_per_sample * params.features;
    let scale = 1.0 / f32(max(select(samples, valid, params.kind == 0u), 1u));
    var slope_scale = 0.0;
    if params.gradient == 1u {
        slope_scale = scale * seed[0];
    }
    let ones = vec4<f32>(1.0);
    var sum = vec4<f32>();
    for (var i = invocation; i < params.vectors; i += params.invocations) {
        let y = prediction_at(i);
        let x = target4(i, params.features / 4u);
        var value: vec4<f32>;
        var slope: vec4<f32>;
        if params.kind == 2u {
            value = vec4<f32>(cross_entropy(y.x, x.x), cross_entropy(y.y, x.y),
                cross_entropy(y.z, x.z), cross_entropy(y.w, x.w));
            slope = ones / (ones + exp(-y)) - x;
        } else {
            value = (y - x) * (y - x);
            slope = 2.0 * (y - x);
        }
        let counts = 4u * i + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(valid);
        sum += select(vec4<f32>(), value, counts);
        if params.gradient == 1u {
            dx[i] = select(vec4<f32>(), slope * slope_scale * activation_slope4(params.activation, y), counts);
        }
    }
    partial[invocation] = dot(sum, ones) * scale;
}
