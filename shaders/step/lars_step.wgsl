//!use index clock decay_runs
// One step of LARS over the whole parameter arena, given the trust of `lars_trust`: g ← g + λ w, v ← μ v + η t g, w ← w − v.
// Every tensor is a run of its own. Header: RUNS.

struct Params {
    vectors: u32,
    momentum: f32,
    runs: array<vec4<u32>, RUNS>, // first vector, weight decay
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> clock: array<u32>;                // [16]
@group(0) @binding(2) var<storage, read> learning_rate: array<f32>;        // scalar
@group(0) @binding(3) var<storage, read> gradient: array<vec4<f32>>;       // [vectors]
@group(0) @binding(4) var<storage, read_write> weight: array<vec4<f32>>;   // [vectors]
@group(0) @binding(5) var<storage, read_write> velocity: array<vec4<f32>>; // [vectors]
@group(0) @binding(6) var<storage, read> trust: array<f32>;                // [RUNS]

const WORKGROUP: u32 = 64u;
const EACH: u32 = 4u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = group_index(group, groups) * WORKGROUP * EACH + lane;
    if first >= params.vectors || clock[CLOCK_BAD_STEP] != 0u {
        return;
    }
    let rate = learning_rate[0];
    for (var k = 0u; k < EACH; k++) {
        let i = first + k * WORKGROUP;
        if i >= params.vectors {
            return;
        }
        let w = weight[i];
        let g = gradient[i] + decay_of(i) * w;
        let v = params.momentum * velocity[i] + rate * trust[run_of(i)] * g;
        velocity[i] = v;
        weight[i] = w - v;
    }
}
