//! Exponential and what is made of it, logarithm, sine and cosine without a branch, so that loops of them fill the widest registers.

/// log x of a normal x > 0 to about 1 ULP, without a branch: x = 2^n · m with m in [√½, √2), and a polynomial in m − 1
/// (Cephes' `logf`).
#[inline(always)]
pub(in crate::device) fn log(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    /// The bits of √½: subtracted, they leave the exponent that brings x nearest to 1.
    const ROOT_HALF: i32 = 0x3F35_04F3;
    let shifted = x.to_bits() as i32 - ROOT_HALF;
    let n = (shifted >> 23) as f32;
    let m = f32::from_bits(((shifted & 0x007F_FFFF) + ROOT_HALF) as u32) - 1.0;
    let square = m * m;
    let mut p = 7.037_683_6e-2_f32;
    for c in [
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ] {
        p = p.mul_add(m, c);
    }
    let tail = n.mul_add(LN2_LOW, p * m * square) - 0.5 * square;
    n.mul_add(LN2_HIGH, m + tail)
}

/// e^x to about 2 ULP, without a branch: 2^n · e^r with |r| ≤ ½ ln 2 by a polynomial (Cephes' `expf`).
#[inline(always)]
pub(in crate::device) fn exp(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    /// Adding and subtracting 1.5 · 2²³ rounds to the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.3, 88.3);
    let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = (-n).mul_add(LN2_LOW, (-n).mul_add(LN2_HIGH, x));
    let mut p = 1.987_569_1e-4_f32;
    for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p.mul_add(r, c);
    }
    let e = (p * r).mul_add(r, r + 1.0);
    // The integer n is the low bits of `rounded`; a conversion would not vectorise.
    e * f32::from_bits(rounded.to_bits().wrapping_add(127) << 23)
}

/// tanh x to about 3e-7 of itself, without a branch: near 0 a polynomial (Cephes' `tanhf`), else (1 − e) / (1 + e) with e = e^{−2|x|}.
#[inline(always)]
pub(in crate::device) fn tanh(x: f32) -> f32 {
    let square = x * x;
    let mut p = -5.704_988_7e-3_f32;
    for c in [2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1] {
        p = p.mul_add(square, c);
    }
    let near = (p * square).mul_add(x, x);
    let e = exp(-2.0 * x.abs());
    let far = ((1.0 - e) / (1.0 + e)).copysign(x);
    if x.abs() < 0.625 { near } else { far }
}

/// log(1 + e^x) to about 2e-7 of itself, without a branch: max(x, 0) + log1p(e) with e = e^{−|x|}, by the odd series of
/// log((1 + s) / (1 − s)) in s = e / (2 + e), at most 1/3.
#[inline(always)]
pub(in crate::device) fn softplus(x: f32) -> f32 {
    let e = exp(-x.abs());
    let s = e / (2.0 + e);
    let square = s * s;
    let mut p = 1.0 / 15.0_f32;
    for n in [13.0_f32, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        p = p.mul_add(square, 1.0 / n);
    }
    (2.0 * s).mul_add(p, if x > 0.0 { x } else { 0.0 })
}

/// sin 2πu and cos 2πu for u in [0, 1], to about 1e-7: the nearest quarter of a turn, and polynomials in what is
/// left (Cephes' `sinf` and `cosf`).
#[inline(always)]
pub(in crate::device) fn sin_cos_of_turns(u: f32) -> (f32, f32) {
    const ROUND: f32 = 12_582_912.0;
    let rounded = u.mul_add(4.0, ROUND);
    let r = u.mul_add(4.0, ROUND - rounded) * std::f32::consts::FRAC_PI_2;
    let square = r * r;
    let mut p = -1.951_529_6e-4_f32;
    for c in [8.332_161e-3, -1.666_665_5e-1] {
        p = p.mul_add(square, c);
    }
    let sine = (p * square).mul_add(r, r);
    let mut p = 2.443_315_7e-5_f32;
    for c in [-1.388_731_6e-3, 4.166_664_6e-2] {
        p = p.mul_add(square, c);
    }
    let cosine = (p * square).mul_add(square, square.mul_add(-0.5, 1.0));
    let quarter = rounded.to_bits();
    let (s, c) = if quarter & 1 == 0 { (sine, cosine) } else { (cosine, sine) };
    // Bit 1 of the quarter is the sign of the sine; that of the cosine is of the next quarter.
    let negated = |x: f32, quarter: u32| f32::from_bits(x.to_bits() ^ ((quarter & 2) << 30));
    (negated(s, quarter), negated(c, quarter.wrapping_add(1)))
}

#[cfg(test)]
mod tests {
    use super::{exp, log, sin_cos_of_turns, softplus, tanh};

    #[test]
    fn sine_and_cosine_are_accurate_over_a_turn() {
        for i in 0..=100_000 {
            let u = i as f32 / 100_000.0;
            let (sine, cosine) = (std::f64::consts::TAU * f64::from(u)).sin_cos();
            let (s, c) = sin_cos_of_turns(u);
            let error = (f64::from(s) - sine).abs().max((f64::from(c) - cosine).abs());
            assert!(error < 1.2e-7, "at {u} of a turn they are off by {error:e}");
        }
    }

    #[test]
    fn log_is_accurate_over_the_whole_range() {
        let mut x = f32::MIN_POSITIVE;
        while x < f32::MAX / 1.01 {
            let exact = f64::from(x).ln();
            let error = (f64::from(log(x)) - exact).abs();
            assert!(error <= 1.5e-7 * exact.abs().max(0.5), "log({x:e}) is off by {error:e}");
            x *= 1.000_97;
        }
        assert_eq!(log(1.0), 0.0);
    }

    #[test]
    fn exp_is_accurate_over_the_whole_range() {
        for i in -8700..8800 {
            let x = i as f32 / 100.0 + 0.003;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 3e-7, "exp({x}) is off by {error:e}");
        }
    }

    #[test]
    fn tanh_and_softplus_are_accurate_relative_to_themselves() {
        for i in -80_000..80_000 {
            let x = i as f32 / 1000.0 + 0.000_3;
            let exact = f64::from(x);
            let softplus_error = (f64::from(softplus(x)) / (exact.max(0.0) + (-exact.abs()).exp().ln_1p()) - 1.0).abs();
            let tanh_error = (f64::from(tanh(x)) / exact.tanh() - 1.0).abs();
            assert!(softplus_error < 4e-7, "softplus({x}) is off by {softplus_error:e}");
            assert!(tanh_error < 4e-7, "tanh({x}) is off by {tanh_error:e}");
        }
        assert_eq!((tanh(0.0), tanh(1e9), tanh(-1e9)), (0.0, 1.0, -1.0));
        assert_eq!(softplus(1e9), 1e9);
        assert!(tanh(f32::NAN).is_nan() && softplus(f32::NAN).is_nan());
    }

    #[test]
    fn exp_saturates_instead_of_overflowing() {
        assert!(exp(1e9).is_finite());
        assert!(exp(-1e9) >= 0.0);
    }
}
