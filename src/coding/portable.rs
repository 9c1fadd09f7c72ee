//! The exponential, the logarithm and what is made of them, out of sums, products and quotients of f64 alone: every machine rounds
//! these alike, while mathematical libraries differ in the last bits. Good to about 1e-12 where nothing overflows; not made to be fast.

/// e^x by repeated squaring of its series near 0.
pub fn exp(x: f64) -> f64 {
    // Beyond there is nothing but 0 and infinity.
    let small = x.clamp(-800.0, 800.0) / 1024.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 1..20 {
        term *= small / f64::from(n);
        sum += term;
    }
    (0..10).fold(sum, |power, _| power * power)
}

/// ln x for x > 0 by Halley's method on [`exp`].
pub fn ln(x: f64) -> f64 {
    let mut y = 0.0;
    for _ in 0..100 {
        let e = exp(y);
        // This step converges from anywhere without overflow.
        y += 2.0 * (x - e) / (x + e);
    }
    y
}

/// ln(1 + e^x).
pub fn softplus(x: f64) -> f64 {
    // What e^−30 adds is beyond the digits.
    if x > 30.0 { x } else { ln(1.0 + exp(x)) }
}

/// 1/(1 + e^−x).
pub fn sigmoid(x: f64) -> f64 {
    let e = exp(-x.abs());
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}

/// The hyperbolic tangent.
pub fn tanh(x: f64) -> f64 {
    let e = exp(-2.0 * x.abs());
    let size = (1.0 - e) / (1.0 + e);
    if x < 0.0 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_what_they_are_called() {
        for x in [-40.0_f64, -3.0, -1e-3, 0.0, 1e-9, 0.3, 2.0, 17.5, 29.9, 31.0] {
            let near = |ours: f64, theirs: f64| (ours - theirs).abs() <= 1e-12 * theirs.abs().max(1.0);
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-12, "{x}");
            assert!(near(softplus(x), x.exp().ln_1p()) && near(tanh(x), x.tanh()), "{x}");
            assert!(near(sigmoid(x), 1.0 / (1.0 + (-x).exp())), "{x}");
        }
        assert!((exp(1.0) - std::f64::consts::E).abs() < 1e-12 && (ln(256.0 / 0.11) - 7.752_452_357_669).abs() < 1e-11);
    }

    #[test]
    fn the_far_ends_are_numbers_or_infinite() {
        assert_eq!((exp(-1e9), exp(1e9)), (0.0, f64::INFINITY));
        assert_eq!((sigmoid(-1e9), sigmoid(1e9), tanh(-1e9), tanh(1e9)), (0.0, 1.0, -1.0, 1.0));
        assert!(exp(f64::NAN).is_nan() && softplus(1e9) == 1e9 && softplus(-1e9).abs() < 1e-15);
    }
}
