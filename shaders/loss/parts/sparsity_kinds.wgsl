// What a neuron of a rate adds to a penalty, and the derivative; the host's side is src/ops/loss/sparsity.rs.
const SPARSITY_L1: u32 = 0u;
const NEAREST: f32 = 1e-6;

fn sparsity_value(kind: u32, target_rate: f32, rate: f32) -> f32 {
    if kind == SPARSITY_L1 {
        return rate;
    }
    let a = clamp(rate, NEAREST, 1.0 - NEAREST);
    return target_rate * log(target_rate / a) + (1.0 - target_rate) * log((1.0 - target_rate) / (1.0 - a));
}

fn sparsity_slope(kind: u32, target_rate: f32, rate: f32) -> f32 {
    if kind == SPARSITY_L1 {
        return 1.0;
    }
    let a = clamp(rate, NEAREST, 1.0 - NEAREST);
    return (1.0 - target_rate) / (1.0 - a) - target_rate / a;
}
