// Adam, with this weight decay, and the entropies' gradients for one parameter, for `network_update`; formulas in
// src/ops/step/adam_step.rs and src/ops/entropy/activeness_grad.rs.
fn adam(i: u32, gradient: f32, lambda: f32) {
    let rate = bitcast<f32>(state[params.rate]);
    // The clock has not moved yet: these are the corrections that it moves to.
    let old1 = bitcast<f32>(state[params.clock + CLOCK_CORRECTION1]);
    let old2 = bitcast<f32>(state[params.clock + CLOCK_CORRECTION2]);
    let correction1 = params.clock_betas.x * old1 + (1.0 - params.clock_betas.x);
    let correction2 = params.clock_betas.y * old2 + (1.0 - params.clock_betas.y);
    var w = weights[i];
    let g = gradient + select(0.0, lambda * w, params.decay == 1u);
    let m = params.beta1 * moment1[i] + (1.0 - params.beta1) * g;
    let v = params.beta2 * moment2[i] + (1.0 - params.beta2) * g * g;
    w -= select(0.0, rate * lambda * w, params.decay == 2u);
    weights[i] = w - rate * (m / correction1) / (sqrt(v / correction2) + params.epsilon);
    moment1[i] = m;
    moment2[i] = v;
}

// What the entropies add to the gradients of a weight (input < the layer's) or of a bias.
fn entropies(layer: u32, output: u32, input: u32, is_bias: bool, weight: f32) -> f32 {
    var sum = 0.0;
    for (var t = 0u; t < TERMS_USED; t++) {
        let term = params.terms[2u * t];
        let slopes = params.terms[2u * t + 1u].x;
        if is_bias && term.y == layer {
            sum += bitcast<f32>(term.w) * sign(weight) * workspace[slopes + output];
        }
        if !is_bias && term.x == layer {
            sum += sign(weight) * workspace[slopes + select(input, output, term.z == 1u)];
        }
    }
    return sum;
}
