//! The rule by which a value is compared with its golden reference.

use super::vectors::Expected;

/// Worst error as a share of what is allowed: at most 1 passes. `factor` widens the tolerance.
///
/// max |got − ref| ≤ atol + rtol · max |ref|, or element by element where the formula says so. Anything
/// that is not finite must be met as it is; NaN, and a missing or surplus element, always fail.
pub fn share(got: &[f64], expected: &Expected, atol: f64, rtol: f64) -> f64 {
    if got.len() != expected.values.len() {
        return f64::INFINITY;
    }
    let finite = |x: f64| if x.is_finite() { x.abs() } else { 0.0 };
    let largest = expected.values.iter().fold(0.0, |most: f64, &x| most.max(finite(x)));
    let mut worst = 0.0_f64;
    for (&got, &reference) in got.iter().zip(&expected.values) {
        let scale = if expected.elementwise { finite(reference) } else { largest };
        let (error, allowed) = ((got - reference).abs(), atol + rtol * scale);
        let share = if got == reference {
            0.0
        } else if error.is_finite() && allowed > 0.0 {
            error / allowed
        } else {
            f64::INFINITY
        };
        worst = worst.max(share);
    }
    worst
}

/// The element that is farthest off, in words.
pub fn describe(got: &[f64], expected: &Expected) -> String {
    if got.len() != expected.values.len() {
        return format!("{} elements where {} were expected", got.len(), expected.values.len());
    }
    let error = |i: usize| (got[i] - expected.values[i]).abs();
    // NaN counts as the largest of all errors.
    let worst = (0..got.len()).max_by(|&a, &b| {
        let order = |i: usize| if error(i).is_nan() { f64::INFINITY } else { error(i) };
        order(a).total_cmp(&order(b))
    });
    worst.map_or_else(
        || "no element".into(),
        |i| format!("element {i} is {:e}, expected {:e}, off by {:.2e}", got[i], expected.values[i], error(i)),
    )
}
