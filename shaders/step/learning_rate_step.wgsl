//!use clock
// The learning rate of the step that the clock stands at, by a single invocation; formulas in
// src/ops/step/learning_rate_step.rs.

struct Params {
    peak: f32,
    warm_up: u32, // steps
    kind: u32,    // 0 constant, 1 stairs, 2 cosine
    steps: u32,   // between two falls; at which the floor is reached
    amount: f32,  // factor of a fall; floor
    clock: u32,   // where each part of the state lies
    rate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> state: array<u32>; // clock; learning rate

// base^exponent by squaring, since pow is allowed to be off by far more.
fn power(base: f32, exponent: u32) -> f32 {
    var result = 1.0;
    var square = base;
    for (var left = exponent; left > 0u; left >>= 1u) {
        if (left & 1u) == 1u {
            result *= square;
        }
        square *= square;
    }
    return result;
}

// sin(½ π x) for x from 0 to 1, by its series: the next term is below 1e-9. WGSL's own may be off by 5e-4.
fn sine_of_quarter_turns(x: f32) -> f32 {
    let a = 1.57079633 * x;
    let q = a * a;
    let tail = 1.0 - q / 72.0 * (1.0 - q / 110.0 * (1.0 - q / 156.0));
    return a * (1.0 - q / 6.0 * (1.0 - q / 20.0 * (1.0 - q / 42.0 * tail)));
}

@compute @workgroup_size(1)
fn main() {
    let step = state[params.clock + CLOCK_STEP];
    var rate = params.peak;
    if params.kind == 1u {
        rate *= power(params.amount, step / params.steps);
    } else if params.kind == 2u {
        let from_step = max(step, params.warm_up);
        let left = params.steps - min(params.steps, from_step);
        let whole = max(params.steps - min(params.steps, params.warm_up), 1u);
        let sine = sine_of_quarter_turns(f32(left) / f32(whole));
        rate = params.amount + (params.peak - params.amount) * sine * sine;
    }
    if step < params.warm_up {
        rate *= f32(step + 1u) / f32(params.warm_up);
    }
    state[params.rate] = bitcast<u32>(rate);
}
