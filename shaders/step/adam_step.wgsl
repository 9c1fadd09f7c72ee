//!use index clock decay_runs
// One step of Adam over the whole parameter arena; formulas in src/ops/step/adam_step.rs.
//
// Four arenas of one layout: the padding between tensors is zero in all of them and stays zero, so
// all is one array of vectors. An invocation takes several, which are read with fewer loads than
// scalars (software Vulkan charges by the load) and share those of the clock.
// Header: RUNS, EACH. Reading: adam_buffers, or adam_texels where software Vulkan would pay ten times as much.

struct Params {
    vectors: u32,
    decay: u32, // 0 none, 1 in the gradient (L2), 2 decoupled
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    runs: array<vec4<u32>, RUNS>, // first vector, weight decay
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> clock: array<u32>;         // [16]
@group(0) @binding(2) var<storage, read> learning_rate: array<f32>; // scalar
// Binding 3 is the gradient [vectors].
@group(0) @binding(4) var<storage, read_write> weight: array<vec4<f32>>;  // [vectors]
@group(0) @binding(5) var<storage, read_write> moment1: array<vec4<f32>>; // [vectors]
@group(0) @binding(6) var<storage, read_write> moment2: array<vec4<f32>>; // [vectors]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = group_index(group, groups) * WORKGROUP * EACH + lane;
    if first >= params.vectors || clock[CLOCK_BAD_STEP] != 0u {
        return;
    }
    let rate = learning_rate[0];
    let correction1 = bitcast<f32>(clock[CLOCK_CORRECTION1]);
    let correction2 = bitcast<f32>(clock[CLOCK_CORRECTION2]);
    for (var k = 0u; k < EACH; k++) {
        let i = first + k * WORKGROUP;
        if i >= params.vectors {
            return;
        }
        var w = weight_at(i);
        var g = gradient_at(i);
        let lambda = decay_of(i);
        if params.decay == 1u {
            g += lambda * w;
        }
        let m = params.beta1 * moment1_at(i) + (1.0 - params.beta1) * g;
        let v = params.beta2 * moment2_at(i) + (1.0 - params.beta2) * g * g;
        if params.decay == 2u {
            w -= rate * lambda * w;
        }
        weight[i] = w - rate * (m / correction1) / (sqrt(v / correction2) + params.epsilon);
        moment1[i] = m;
        moment2[i] = v;
    }
}
