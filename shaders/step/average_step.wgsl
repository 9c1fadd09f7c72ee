//!use index clock
// One step of a running mean over the whole parameter arena: a ← a + share · (w − a); formulas in src/ops/step/average_step.rs.
//
// Two arenas of one layout; what lies between two tensors is of none.

struct Params {
    vectors: u32,
    share: f32, // of the weights, once the mean is long enough
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> clock: array<u32>;            // [16]
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;     // [vectors]
@group(0) @binding(3) var<storage, read_write> mean: array<vec4<f32>>; // [vectors]

const WORKGROUP: u32 = 64u;
const EACH: u32 = 4u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = group_index(group, groups) * WORKGROUP * EACH + lane;
    if first >= params.vectors || clock[CLOCK_BAD_STEP] != 0u {
        return;
    }
    let share = max(params.share, 9.0 / (9.0 + f32(clock[CLOCK_STEP])));
    for (var k = 0u; k < EACH; k++) {
        let i = first + k * WORKGROUP;
        if i >= params.vectors {
            return;
        }
        let a = mean[i];
        mean[i] = a + share * (weight[i] - a);
    }
}
