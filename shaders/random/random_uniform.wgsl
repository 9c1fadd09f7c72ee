//!use index clock threefry
// Uniform numbers of the current step: pair i is Threefry of counter (i, stream) under a key made of the
// run's step key, the step and the stream, as multiples of 2^-24 in [0, 1).

struct Params {
    n: u32, // numbers
    stream: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> clock: array<u32>;      // [16]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;    // [n]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if 2u * i >= params.n {
        return;
    }
    let run_key = vec2<u32>(clock[CLOCK_STEP_KEY], clock[CLOCK_STEP_KEY + 1u]);
    let key = threefry2x32(run_key, vec2<u32>(clock[CLOCK_STEP], params.stream));
    let pair = threefry2x32(key, vec2<u32>(i, params.stream));
    y[2u * i] = f32(pair.x >> 8u) * (1.0 / 16777216.0);
    if 2u * i + 1u < params.n {
        y[2u * i + 1u] = f32(pair.y >> 8u) * (1.0 / 16777216.0);
    }
}
