//! Learning rates over time.

/// Half a cosine from `peak` at epoch 0 to 0 at `epochs`: PyTorch's `CosineAnnealingLR` with a floor
/// of 0.
pub fn cosine(peak: f64, epoch: f64, epochs: f64) -> f64 {
    0.5 * peak * (1.0 + (std::f64::consts::PI * epoch / epochs).cos())
}
