//! How many neurons a network uses over time, as a picture.

use image::RgbImage;

use super::chart::{Panel, draw_panels};
use super::plot::Series;
use crate::error::Result;

/// Plots two measures side by side, a curve a hidden layer each: effective widths by paths, and active neurons. What has no
/// points is left out.
///
/// # Errors
/// When there is nothing to draw.
pub fn width_plot(effective: &[Series], active: &[Series]) -> Result<RgbImage> {
    let panel = |title: &'static str, series: &[Series]| Panel {
        title,
        x_label: "epoch",
        y_label: "neurons",
        series: series.to_vec(),
        ..Panel::default()
    };
    let mut panels = vec![panel("Effective width by paths", effective), panel("Active neurons", active)];
    panels.retain(Panel::has_curves);
    draw_panels(&panels)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_measure_has_a_panel_of_its_own() {
        let layer = |points: &[(f64, f64)]| vec![Series { name: "layer 1".into(), points: points.to_vec() }];
        let (some, none) = (layer(&[(1.0, 20.0), (2.0, 12.0)]), layer(&[]));
        assert_eq!(width_plot(&some, &some).unwrap().width(), 2 * 800);
        assert_eq!(width_plot(&none, &some).unwrap().width(), 1200);
        assert!(width_plot(&none, &none).is_err());
    }
}
