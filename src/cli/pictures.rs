//! The pictures of a run directory.

use gpu_ae::Result;
use gpu_ae::report::{EpochPoint, loss_plot, reconstruction_grid, write_png};
use gpu_ae::train::{EpochMetrics, Run, RunDir};

/// Images side by side in a grid.
pub const COLUMNS: usize = 16;
/// Test images in the picture of a run.
const IMAGES: usize = 32;

/// Draws `reconstructions.png` and `loss.png`.
pub fn draw(run: &mut Run, directory: &RunDir) -> Result<()> {
    let image = run.session().image();
    let (originals, reconstructions) = run.session().reconstruct(IMAGES)?;
    let grid = reconstruction_grid(&originals, &reconstructions, image, COLUMNS)?;
    write_png(&directory.reconstructions(), &grid)?;
    let points: Vec<EpochPoint> = run.metrics().iter().map(point).collect();
    if points.is_empty() {
        return Ok(());
    }
    write_png(&directory.loss_plot(), &loss_plot(&points)?)
}

fn point(m: &EpochMetrics) -> EpochPoint {
    EpochPoint {
        epoch: f64::from(m.epoch),
        train_loss: m.train_loss,
        test_loss: m.test_loss,
        train_mse: m.train_mse,
        test_mse: m.test_mse,
        train_entropy: Some(m.train_entropy),
        test_entropy: Some(m.test_entropy),
    }
}
