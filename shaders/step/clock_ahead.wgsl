//!use clock safe_math
// The clock as an optimiser needs it while its step goes on: a copy with this step's bias corrections, its latch set where the
// loss is not finite. By a single invocation; see src/ops/step/clock_ahead.rs.

struct Params {
    beta1: f32,
    beta2: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> clock: array<u32>;       // [16]
@group(0) @binding(2) var<storage, read> loss: array<f32>;        // scalar
@group(0) @binding(3) var<storage, read_write> ahead: array<u32>; // [16]

const WORDS: u32 = 16u;

@compute @workgroup_size(1)
fn main() {
    for (var word = 0u; word < WORDS; word++) {
        ahead[word] = clock[word];
    }
    if clock[CLOCK_BAD_STEP] != 0u {
        return;
    }
    if !is_finite(loss[0]) {
        ahead[CLOCK_BAD_STEP] = clock[CLOCK_STEP] + 1u;
        return;
    }
    let correction1 = bitcast<f32>(clock[CLOCK_CORRECTION1]);
    let correction2 = bitcast<f32>(clock[CLOCK_CORRECTION2]);
    ahead[CLOCK_CORRECTION1] = bitcast<u32>(params.beta1 * correction1 + (1.0 - params.beta1));
    ahead[CLOCK_CORRECTION2] = bitcast<u32>(params.beta2 * correction2 + (1.0 - params.beta2));
}
