//!use clock safe_math
// The weight of a loss term moved by one step, by a single invocation; formulas in
// src/ops/step/multiplier_step.rs.

struct Params {
    kind: u32,   // 0 ramp, 1 budget, 2 the term itself held to a budget
    begin: u32,
    end: u32,    // of a ramp, or of a held term's way down to its budget
    scale: f32,  // whole weight of a ramp; budget, 0 if it is to be measured
    rate: f32,
    decay: f32,
    floor: f32,
    ceiling: f32,
    clock: u32,  // where each part of the state lies
    weight: u32,
    memory: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> loss: array<f32>;        // scalar, the one with a budget
@group(0) @binding(2) var<storage, read> term: array<f32>;        // scalar, the one with the weight
@group(0) @binding(3) var<storage, read_write> state: array<u32>; // clock; weight; running mean and budget

fn store(at: u32, value: f32) {
    state[at] = bitcast<u32>(value);
}

@compute @workgroup_size(1)
fn main() {
    if state[params.clock + CLOCK_BAD_STEP] != 0u || !is_finite(loss[0]) || !is_finite(term[0]) {
        return;
    }
    let step = state[params.clock + CLOCK_STEP];
    if params.kind == 0u {
        let done = f32(step + 1u - min(step + 1u, params.begin));
        let steps = f32(max(params.end - min(params.end, params.begin), 1u));
        store(params.weight, params.scale * min(done / steps, 1.0));
        return;
    }
    var average = loss[0];
    if step > 0u {
        average = params.decay * bitcast<f32>(state[params.memory]) + (1.0 - params.decay) * average;
    }
    store(params.memory, average);
    if step < params.begin {
        store(params.weight, 0.0);
    } else if step == params.begin {
        store(params.weight, params.floor);
        let given = select(average, params.scale, params.scale > 0.0);
        store(params.memory + 1u, given);
    } else {
        var budget = bitcast<f32>(state[params.memory + 1u]);
        var rate = -params.rate;
        if params.kind == 2u {
            let steps = f32(params.end - min(params.end, params.begin));
            budget = params.scale * max(steps / f32(step - params.begin), 1.0);
            rate = params.rate;
            store(params.memory + 1u, budget);
        }
        let excess = clamp(average / budget - 1.0, -1.0, 1.0);
        let weight = bitcast<f32>(state[params.weight]) * exp(rate * excess);
        store(params.weight, clamp(weight, params.floor, params.ceiling));
    }
}
