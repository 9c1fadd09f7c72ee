//! The tilted mean, from which every Rényi entropy here is made.
//!
//! Source: FORMULAS, conventions. M_t\[y; p\] = (1/t) log Σ p e^{ty}, M_0 = Σ p y, M_{−∞} = min y over the
//! support. It is evaluated as ȳ + log1p(Σ p expm1(t(y − ȳ))) / t while max |t(y − ȳ)| ≤ ½, else by
//! log-sum-exp: both are exact where the textbook form is 0/0 or overflows.

use crate::ops::array::log_sum_exp::log_sum_exp;
use crate::tensor::Real;

/// M_{1−α}\[h − log p; p\] over pairs (p, h) with p > 0 and Σ p = 1: the entropy of order α of a choice
/// followed by choices of entropy h. With h = 0 it is that of p alone.
pub(in crate::ops) fn tilted_mean<T: Real>(alpha: f32, terms: impl Iterator<Item = (T, T)> + Clone) -> T {
    if alpha.is_infinite() {
        return terms.fold(T::infinity(), |least, (p, h)| least.min(h - p.ln()));
    }
    let t = T::of(1.0 - f64::from(alpha));
    let mean = terms.clone().fold(T::zero(), |sum, (p, h)| sum + p * (h - p.ln()));
    let spread = terms.clone().fold(T::zero(), |most, (p, h)| most.max((t * (h - p.ln() - mean)).abs()));
    if t == T::zero() {
        mean
    } else if spread <= T::of(0.5) {
        let tilt = terms.fold(T::zero(), |sum, (p, h)| sum + p * (t * (h - p.ln() - mean)).exp_m1());
        mean + tilt.ln_1p() / t
    } else {
        log_sum_exp(terms.map(|(p, h)| (T::one() - t) * p.ln() + t * h)) / t
    }
}

/// dH/da of a weight a that makes up p = a/total: −(α/total) y φ((α − 1) y) with y = log p + H and
/// φ(x) = expm1(x)/x. For finite orders.
pub(in crate::ops) fn tilted_slope<T: Real>(alpha: f32, total: T, y: T) -> T {
    let alpha = T::of(f64::from(alpha));
    let x = (alpha - T::one()) * y;
    let phi = if x == T::zero() { T::one() } else { x.exp_m1() / x };
    -(alpha / total) * y * phi
}
