// The logarithm of the difference of two sigmoids, without cancelling; beside `safe_math`.
const LN_2: f32 = 0.6931472;

fn softplus(x: f32) -> f32 {
    return max(x, 0.0) + log1p(exp(-abs(x)));
}

// log(1 − e^{−d}) for d > 0.
fn log1m_exp(d: f32) -> f32 {
    if d < LN_2 {
        return log(-expm1(-d));
    }
    return log1p(-exp(-d));
}
