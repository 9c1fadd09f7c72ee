//!use index reduce
// Gradients of a scaled loss divided by the scale, unless `unscale_look` has seen one that is not finite; see
// src/ops/step/unscale.rs. Every workgroup adds what was seen itself, in the same order.

struct Params {
    vectors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> seen: array<f32>;                 // [WORKGROUP]
@group(0) @binding(2) var<storage, read> scale: array<f32>;                // scalar, a power of two
@group(0) @binding(3) var<storage, read_write> gradient: array<vec4<f32>>; // [vectors]

const WORKGROUP: u32 = 64u; // as many as have looked
const EACH: u32 = 4u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    if reduce_sum(lane, seen[lane]) > 0.0 {
        return;
    }
    // By its bits, since WGSL's division may be 2.5 ULP away: 1/2^e has the exponent 254 - (127 + e).
    let inverse = bitcast<f32>((254u << 23u) - bitcast<u32>(scale[0]));
    let first = group_index(group, groups) * WORKGROUP * EACH + lane;
    for (var k = 0u; k < EACH; k++) {
        let i = first + k * WORKGROUP;
        if i >= params.vectors {
            return;
        }
        gradient[i] *= inverse;
    }
}
