//!use index clock decay_runs
// One step of gradient descent with momentum over the whole parameter arena:
// g ← g + λ w, u ← μ u + g, w ← w − η u, or of Nesterov w ← w − η (g + μ u). Header: RUNS.

struct Params {
    words: u32,
    momentum: f32,
    nesterov: u32,
    runs: array<vec4<u32>, RUNS>, // first vector, weight decay
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> clock: array<u32>;          // [16]
@group(0) @binding(2) var<storage, read> learning_rate: array<f32>;  // scalar
@group(0) @binding(3) var<storage, read> gradient: array<f32>;       // [words]
@group(0) @binding(4) var<storage, read_write> weight: array<f32>;   // [words]
@group(0) @binding(5) var<storage, read_write> velocity: array<f32>; // [words]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.words || clock[CLOCK_BAD_STEP] != 0u {
        return;
    }
    let w = weight[i];
    let g = gradient[i] + decay_of(i / 4u) * w;
    let u = params.momentum * velocity[i] + g;
    velocity[i] = u;
    weight[i] = w - learning_rate[0] * select(u, g + params.momentum * u, params.nesterov != 0u);
}
