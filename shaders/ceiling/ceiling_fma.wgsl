//!use index
// Multiplications and additions with nothing to wait for: twelve chains c ← c/2 + 1/2 in registers,
// started from x; y is their sum. Nothing but the first load and the last store touches memory.

struct Params {
    n: u32,
    rounds: u32, // of STEPS steps of every chain
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [n]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [n]

const WORKGROUP: u32 = 64u;
// The host's side is src/ops/ceiling/ceiling_fma.rs.
const STEPS: u32 = 8u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    let half = vec4<f32>(0.5);
    var a = x[i] + vec4<f32>(0.0, 0.0625, 0.125, 0.1875);
    var b = a + vec4<f32>(0.25);
    var c = b + vec4<f32>(0.25);
    for (var round = 0u; round < params.rounds; round++) {
        for (var step = 0u; step < STEPS; step++) {
            a = fma(a, half, half);
            b = fma(b, half, half);
            c = fma(c, half, half);
        }
    }
    y[i] = dot(a + b + c, vec4<f32>(1.0));
}
