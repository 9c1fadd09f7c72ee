//! How training went, as a picture.

use image::RgbImage;

use super::plot::{Panel, Series, draw_panels};
use crate::error::Result;

/// A term of a loss over epochs, points (epoch, value) on the training and on the test data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// What it is.
    pub title: String,
    /// On the training set; empty if it was not measured.
    pub train: Vec<(f64, f64)>,
    /// On the test set; empty if it was not measured.
    pub test: Vec<(f64, f64)>,
}

impl Curves {
    /// Whether the two are the same to the eye.
    fn is_same(&self, other: &Curves) -> bool {
        let same = |a: &[(f64, f64)], b: &[(f64, f64)]| {
            let near = |(a, b): (&(f64, f64), &(f64, f64))| !b.1.is_finite() || (a.1 - b.1).abs() <= 1e-6 * a.1.abs();
            a.len() == b.len() && a.iter().zip(b).all(near)
        };
        same(&self.train, &other.train) && same(&self.test, &other.test)
    }
}

/// Plots how training went, a panel a term side by side, in their order; the last, which is the loss that the others make
/// up, only if it is something else than each of them.
///
/// # Errors
/// When there is nothing to draw.
pub fn loss_plot(terms: &[Curves]) -> Result<RgbImage> {
    let shown = terms.iter().enumerate().filter(|(index, curves)| {
        let is_loss = index + 1 == terms.len();
        !is_loss || !terms[..*index].iter().any(|term| term.is_same(curves))
    });
    let panel = |(_, curves): (usize, &'_ Curves)| -> Vec<Series> {
        let series = |name: &str, points: &[(f64, f64)]| Series { name: name.to_owned(), points: points.to_vec() };
        vec![series("train", &curves.train), series("test", &curves.test)]
    };
    let mut panels: Vec<Panel<'_>> = shown
        .map(|(index, curves)| Panel {
            title: &curves.title,
            x_label: "epoch",
            y_label: "",
            series: panel((index, curves)),
            joined: true,
        })
        .collect();
    panels.retain(|panel| panel.has_curves());
    draw_panels(&panels)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Ten epochs of terms that fall, and of a loss that is their sum with these weights.
    fn terms(weights: &[f64]) -> Vec<Curves> {
        let value = |term: usize, epoch: f64| (term + 1) as f64 * (0.02 + 0.03 / epoch);
        let curve = |of: &dyn Fn(f64) -> f64| (1..=10).map(|epoch| (f64::from(epoch), of(f64::from(epoch)))).collect();
        let named = |title: String, of: &dyn Fn(f64) -> f64| Curves { title, train: curve(of), test: curve(of) };
        let mut all: Vec<Curves> =
            (0..weights.len()).map(|term| named(format!("term {term}"), &|epoch| value(term, epoch))).collect();
        let total = |epoch| weights.iter().enumerate().map(|(term, weight)| weight * value(term, epoch)).sum();
        all.push(named("Total loss".into(), &total));
        all
    }

    #[test]
    fn there_is_a_panel_for_everything_that_was_measured() {
        let width = |terms: &[Curves]| loss_plot(terms).unwrap().width();
        assert_eq!(width(&terms(&[1.0])), 1200, "the loss is the term");
        assert_eq!(width(&terms(&[1.0, 0.0])), 2 * 800);
        assert_eq!(width(&terms(&[1.0, 0.3])), 3 * 800);
    }

    #[test]
    fn what_was_not_measured_is_left_out() {
        let mut untested = terms(&[1.0, 0.3]);
        untested.iter_mut().for_each(|curves| curves.test.clear());
        assert_eq!(loss_plot(&untested).unwrap().width(), 3 * 800);
        untested[1].train.clear();
        assert_eq!(loss_plot(&untested).unwrap().width(), 2 * 800);
        untested.iter_mut().for_each(|curves| curves.train.iter_mut().for_each(|point| point.1 = f64::NAN));
        assert!(loss_plot(&untested).is_err());
        assert!(loss_plot(&[]).is_err());
    }
}
