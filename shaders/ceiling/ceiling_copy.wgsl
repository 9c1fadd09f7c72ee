//!use index
// The copy that no kernel's traffic can beat: y = x, four neighbours at a time.

struct Params {
    vectors: u32, // ⌈n / 4⌉
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;       // [vectors]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>; // [vectors]

const WORKGROUP: u32 = 64u;
// Neighbours in a workgroup stay neighbours in memory; each invocation takes several vectors so that
// starting it costs little.
const EACH: u32 = 4u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = group_index(group, groups) * WORKGROUP * EACH + lane;
    for (var k = 0u; k < EACH; k++) {
        let i = first + k * WORKGROUP;
        if i < params.vectors {
            y[i] = x[i];
        }
    }
}
