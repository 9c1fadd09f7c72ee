//! The probability that a Gaussian gives to the bin of a whole number, as bits, and the slopes of these bits.
//!
//! FORMULAS §4. With x = |z − μ|, u = (x − ½)/(s√2), v = (x + ½)/(s√2) and e = e^{−x/s²}:
//! - u ≤ 0: P = 1 − ½ (erfc v + erfc |u|);
//! - u > 0: ln P = −u² + ln ½ (erfcx u − e · erfcx v), where nothing underflows however far z is;
//! - a scale beside which a bin is narrow, so that these differences would cancel: the mean over the bin of the density's series
//!   in Hermite polynomials, P = φ(x/s)/s · (1 + Σ He₂ₖ(x/s) / ((2k+1)! (2s)²ᵏ)).
//!
//! With ρ = φ((x − ½)/s)/P, whose exponents cancel by hand: d bits/dz = sign(z − μ) ρ (1 − e)/(s ln 2) and d bits/ds =
//! ρ (½ (1 + e) − x (1 − e))/(s² ln 2).

use std::f64::consts::{FRAC_1_PI, LN_2, PI, SQRT_2};

/// Scales from which on a bin counts as narrow.
const WIDE: f64 = 4.0;

/// Bits of a bin and their slopes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bin {
    /// −log₂ P
    pub bits: f64,
    /// By the distance |z − μ|.
    pub by_distance: f64,
    /// By the scale.
    pub by_scale: f64,
}

/// The bin whose middle is this far from the mean, for a positive scale.
pub(super) fn bin(distance: f64, scale: f64) -> Bin {
    let (x, s) = (distance, scale);
    let ratio = x / (s * s);
    let (e, rest) = ((-ratio).exp(), -(-ratio).exp_m1());
    let (u, v) = ((x - 0.5) / (s * SQRT_2), (x + 0.5) / (s * SQRT_2));
    let (log, density) = if s > WIDE && ratio < 0.5 {
        let (w, series) = (x / s, series(x / s, 1.0 / (s * s)));
        let log = -0.5 * w * w - (s * (2.0 * PI).sqrt()).ln() + series.ln_1p();
        (log, s * (0.5 * (x - 0.25) / (s * s)).exp() / (1.0 + series))
    } else if u <= 0.0 {
        let outside = 0.5 * ((-v * v).exp() * erfcx(v) + (-u * u).exp() * erfcx(-u));
        ((-outside).ln_1p(), (-u * u).exp() / (2.0 * PI).sqrt() / (1.0 - outside))
    } else {
        let half = 0.5 * (erfcx(u) - e * erfcx(v));
        (-u * u + half.ln(), 1.0 / ((2.0 * PI).sqrt() * half))
    };
    Bin {
        bits: -log / LN_2,
        by_distance: density * rest / (s * LN_2),
        by_scale: density * (0.5 * (1.0 + e) - x * rest) / (s * s * LN_2),
    }
}

/// Σ He₂ₖ(w) hᵏ / ((2k + 1)! 4ᵏ), k = 1…4, for h = 1/s².
fn series(w: f64, h: f64) -> f64 {
    let w2 = w * w;
    let he2 = w2 - 1.0;
    let he4 = (w2 - 6.0) * w2 + 3.0;
    let he6 = ((w2 - 15.0) * w2 + 45.0) * w2 - 15.0;
    let he8 = (((w2 - 28.0) * w2 + 210.0) * w2 - 420.0) * w2 + 105.0;
    h / 24.0 * (he2 + h / 80.0 * (he4 + h / 168.0 * (he6 + h / 288.0 * he8)))
}

/// e^{x²} erfc x for x ≥ 0: by the series of erf, all of whose terms are positive, or by a continued fraction.
fn erfcx(x: f64) -> f64 {
    if x < 2.0 {
        let (mut term, mut sum, mut odd) = (x, x, 1.0);
        while term > sum * 1e-17 {
            odd += 2.0;
            term *= 2.0 * x * x / odd;
            sum += term;
        }
        return (x * x).exp() - 2.0 * FRAC_1_PI.sqrt() * sum;
    }
    let fraction = (1..=60).rev().fold(x, |rest, k| x + 0.5 * f64::from(k) / rest);
    FRAC_1_PI.sqrt() / fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scaled_complement_of_the_error_function_is_right() {
        // Abramowitz and Stegun, table 7.2, and DLMF 7.12.
        for (x, expected) in [(0.0, 1.0), (1.0, 0.427_583_576_155_807), (2.0, 0.255_395_676_310_506)] {
            assert!((erfcx(x) - expected).abs() < 1e-14, "{x}: {}", erfcx(x));
        }
        assert!((erfcx(2.0 - 1e-9) - erfcx(2.0)).abs() < 1e-9);
        assert!((erfcx(1e8) * 1e8 * PI.sqrt() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn no_bits_are_lost_far_from_the_mean_or_where_ways_meet() {
        // The naive difference of distributions is infinite here.
        assert!((bin(8.0, 1.0).bits - 44.833_46).abs() < 1e-4, "{}", bin(8.0, 1.0).bits);
        assert!(bin(1e4, 1e-4).bits.is_finite() && bin(1e4, 1e-4).by_scale.is_finite());
        for (x, s) in [(0.5, 3.0), (0.3, WIDE), (7.9, WIDE), (1000.0, 20.0)] {
            for (a, b) in [((x, s * (1.0 - 1e-9)), (x, s * (1.0 + 1e-9))), ((x - 1e-9, s), (x + 1e-9, s))] {
                let (a, b) = (bin(a.0, a.1), bin(b.0, b.1));
                assert!((a.bits - b.bits).abs() < 1e-6 * (1.0 + a.bits), "{x} {s}");
                assert!((a.by_scale - b.by_scale).abs() < 1e-5, "{x} {s}");
            }
        }
    }
}
