// The draws of a step: pair i is Threefry of counter (i, stream) under a key made of the run's step key, the step
// and the stream.
struct Params {
    n: u32, // words or numbers
    stream: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> clock: array<u32>; // [16]

const WORKGROUP: u32 = 64u;

fn draw(i: u32) -> vec2<u32> {
    let run_key = vec2<u32>(clock[CLOCK_STEP_KEY], clock[CLOCK_STEP_KEY + 1u]);
    let key = threefry2x32(run_key, vec2<u32>(clock[CLOCK_STEP], params.stream));
    return threefry2x32(key, vec2<u32>(i, params.stream));
}
