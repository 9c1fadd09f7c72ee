//!use clock safe_math
// The end of a step, by a single invocation: losses into the ring, the latch, the clock moved on.
//
// A loss that is not finite sets the latch; from then on nothing moves, and the optimiser, which
// reads the latch, writes nothing. Losses lie 256 bytes apart, as tensors in an arena do.

struct Params {
    terms: u32,
    slots: u32, // rows of the ring
    beta1: f32,
    beta2: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> losses: array<f32>;      // scalars, STRIDE words apart
@group(0) @binding(2) var<storage, read_write> clock: array<u32>; // [16]
@group(0) @binding(3) var<storage, read_write> ring: array<f32>;  // [slots, 1 + terms]

const STRIDE: u32 = 64u;

@compute @workgroup_size(1)
fn main() {
    if clock[CLOCK_BAD_STEP] != 0u {
        return;
    }
    for (var term = 0u; term < params.terms; term++) {
        if !is_finite(losses[term * STRIDE]) {
            clock[CLOCK_BAD_TERM] = term;
            clock[CLOCK_BAD_STEP] = clock[CLOCK_STEP] + 1u;
            return;
        }
    }

    let slot = (clock[CLOCK_STEP] % params.slots) * (params.terms + 1u);
    ring[slot] = f32(clock[CLOCK_VALID_ROWS]);
    for (var term = 0u; term < params.terms; term++) {
        ring[slot + 1u + term] = losses[term * STRIDE];
    }

    clock[CLOCK_STEP] += 1u;
    var batch = clock[CLOCK_BATCH] + 1u;
    let rows = clock[CLOCK_ROWS];
    let batch_size = clock[CLOCK_BATCH_SIZE];
    if batch * batch_size >= rows {
        batch = 0u;
        clock[CLOCK_EPOCH] += 1u;
    }
    clock[CLOCK_BATCH] = batch;
    clock[CLOCK_VALID_ROWS] = min(batch_size, rows - batch * batch_size);

    let correction1 = bitcast<f32>(clock[CLOCK_CORRECTION1]);
    let correction2 = bitcast<f32>(clock[CLOCK_CORRECTION2]);
    clock[CLOCK_CORRECTION1] = bitcast<u32>(params.beta1 * correction1 + (1.0 - params.beta1));
    clock[CLOCK_CORRECTION2] = bitcast<u32>(params.beta2 * correction2 + (1.0 - params.beta2));
}
