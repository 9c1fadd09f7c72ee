//!use clock
// The scale of a loss after a step, and the latch of the clock that the optimiser is given, set where the step moves nothing.
// By a single invocation; see src/ops/step/unscale.rs.

struct Params {
    longest: f32, // steps of a streak
    largest: f32, // scale
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> seen: array<f32>;         // [WORKGROUPS]
@group(0) @binding(2) var<storage, read_write> given: array<u32>;  // [16], the clock
@group(0) @binding(3) var<storage, read_write> scale: array<f32>;  // scalar
@group(0) @binding(4) var<storage, read_write> streak: array<f32>; // scalar

const WORKGROUPS: u32 = 64u;

@compute @workgroup_size(1)
fn main() {
    if given[CLOCK_BAD_STEP] != 0u {
        return;
    }
    var met = 0.0;
    for (var group = 0u; group < WORKGROUPS; group++) {
        met += seen[group];
    }
    if met > 0.0 {
        streak[0] = 0.0;
        if scale[0] > 1.0 {
            scale[0] *= 0.5;
            given[CLOCK_BAD_STEP] = given[CLOCK_STEP] + 1u;
        }
        return;
    }
    let unbroken = streak[0] + 1.0;
    if unbroken >= params.longest {
        scale[0] = min(2.0 * scale[0], params.largest);
        streak[0] = 0.0;
    } else {
        streak[0] = unbroken;
    }
}
