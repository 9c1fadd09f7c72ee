//! How training went, as a picture.

use std::ops::Range;

use image::RgbImage;

use super::chart::{Panel, draw_panels};
use super::plot::Series;
use crate::error::Result;

/// A curve's points (epoch, value).
type Points = Vec<(f64, f64)>;

/// A term of a loss over epochs, points (epoch, value) on each part of the data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// What it is.
    pub title: String,
    /// On the training set; empty if it was not measured.
    pub train: Points,
    /// On the rows set aside for validation; empty if there are none.
    pub validation: Points,
    /// On the test set; empty if it was not measured.
    pub test: Points,
}

/// Everything that a run has measured of its loss.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Losses {
    /// The terms and what follows from them.
    pub terms: Vec<Curves>,
    /// The loss that the terms make up.
    pub total: Curves,
    /// Weights that move over time: what each is of, and points (epoch, weight).
    pub weights: Vec<(String, Points)>,
    /// The times, in epochs, in which any of them moves.
    pub moving: Vec<Range<f64>>,
}

impl Curves {
    fn parts(&self) -> [(&'static str, &Points); 3] {
        [("train", &self.train), ("test", &self.test), ("validation", &self.validation)]
    }

    fn series(&self) -> Vec<Series> {
        let series = |(name, points): (&str, &Points)| Series { name: name.to_owned(), points: points.clone() };
        self.parts().map(series).to_vec()
    }

    /// Whether all points are, but for a sign, those that another has at the same epochs.
    fn is_part_of(&self, other: &Curves) -> bool {
        self.parts().into_iter().zip(other.parts()).all(|((_, own), (_, others))| {
            own.iter().all(|&(epoch, value)| {
                let there = others.iter().find(|(other, _)| *other == epoch);
                there.is_some_and(|(_, other)| (value.abs() - other.abs()).abs() <= 1e-6 * value.abs())
            })
        })
    }

    /// The points of epochs in which nothing moved.
    fn outside(&self, moving: &[Range<f64>]) -> Curves {
        let rests = |epoch: f64| !moving.iter().any(|moving| moving.start < epoch && epoch <= moving.end);
        let kept = |points: &Points| points.iter().copied().filter(|&(epoch, _)| rests(epoch)).collect();
        let [train, test, validation] = [&self.train, &self.test, &self.validation].map(kept);
        Curves { title: self.title.clone(), train, validation, test }
    }
}

/// Plots how training went: a panel a term, in their order; one of the loss, unless it is the same as one of them, without the
/// epochs in which a weight moved, since sums under different weights do not compare; and one a weight that moves. Where one
/// moves the panels are shaded.
///
/// # Errors
/// When there is nothing to draw.
pub fn loss_plot(losses: &Losses) -> Result<RgbImage> {
    let total = losses.total.outside(&losses.moving);
    let is_told = losses.terms.iter().any(|term| total.is_part_of(term));
    let panel = |title, series, across| Panel {
        title,
        x_label: "epoch",
        series,
        shaded: losses.moving.clone(),
        shading: "weight moves",
        across,
        ..Panel::default()
    };
    let terms = losses.terms.iter().map(|term| panel(term.title.as_str(), term.series(), true));
    let total = (!is_told).then(|| panel(total.title.as_str(), total.series(), false));
    let weights = losses.weights.iter().map(|(title, points)| {
        panel(title.as_str(), vec![Series { name: String::new(), points: points.clone() }], true)
    });
    let mut panels: Vec<Panel<'_>> = terms.chain(total).chain(weights).collect();
    panels.retain(Panel::has_curves);
    draw_panels(&panels)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::report::chart::{PALETTE, SHADE};
    use plotters::style::RGBColor;

    /// Ten epochs of terms that fall, and of a loss that is their sum with these weights.
    fn losses(weights: &[f64]) -> Losses {
        let value = |term: usize, epoch: f64| (term + 1) as f64 * (0.02 + 0.03 / epoch);
        let curve = |of: &dyn Fn(f64) -> f64| (1..=10).map(|epoch| (f64::from(epoch), of(f64::from(epoch)))).collect();
        let named = |title: String, of: &dyn Fn(f64) -> f64| Curves {
            title,
            train: curve(of),
            test: curve(of),
            ..Curves::default()
        };
        let terms = (0..weights.len()).map(|term| named(format!("term {term}"), &|epoch| value(term, epoch))).collect();
        let total = |epoch| weights.iter().enumerate().map(|(term, weight)| weight * value(term, epoch)).sum();
        Losses { terms, total: named("Total loss".into(), &total), ..Losses::default() }
    }

    fn count(picture: &RgbImage, color: RGBColor) -> usize {
        picture.pixels().filter(|pixel| pixel.0 == [color.0, color.1, color.2]).count()
    }

    #[test]
    fn there_is_a_panel_for_everything_that_was_measured() {
        let size = |losses: &Losses| loss_plot(losses).unwrap().dimensions();
        assert_eq!(size(&losses(&[1.0])), (1200, 750), "the loss is the term");
        assert_eq!(
            size(&losses(&[-1.0])),
            (1200, 750),
            "the loss is the term but for its sign, as that of an evidence is"
        );
        assert_eq!(size(&losses(&[1.0, 0.0])), (2 * 800, 620));
        assert_eq!(size(&losses(&[1.0, 0.3])), (3 * 800, 620));
        assert_eq!(size(&losses(&[1.0, 0.3, 0.1])), (2 * 800, 2 * 620), "in rows where they are many");
    }

    #[test]
    fn what_was_not_measured_is_left_out() {
        let width = |losses: &Losses| loss_plot(losses).unwrap().width();
        let mut untested = losses(&[1.0, 0.3]);
        untested.terms.iter_mut().chain([&mut untested.total]).for_each(|curves| curves.test.clear());
        assert_eq!(width(&untested), 3 * 800);
        untested.terms[1].train.clear();
        assert_eq!(width(&untested), 2 * 800);
        let all = untested.terms.iter_mut().chain([&mut untested.total]);
        all.for_each(|curves| curves.train.iter_mut().for_each(|point| point.1 = f64::NAN));
        assert!(loss_plot(&untested).is_err());
        assert!(loss_plot(&Losses::default()).is_err());
    }

    /// A loss that is multiplied when a weight rises is no divergence: it is not drawn as one curve.
    #[test]
    fn a_loss_is_drawn_only_while_its_weights_rest() {
        let whole = losses(&[1.0, 0.3]);
        let moving = Losses {
            moving: vec![4.0..8.0],
            weights: vec![("Weight of the entropy".into(), vec![(1.0, 0.0), (5.0, 0.3), (10.0, 1.0)])],
            ..whole.clone()
        };
        let total = whole.total.outside(&moving.moving);
        let epochs: Vec<f64> = total.test.iter().map(|(epoch, _)| *epoch).collect();
        assert_eq!(epochs, [1.0, 2.0, 3.0, 4.0, 9.0, 10.0]);
        let (plain, marked) = (loss_plot(&whole).unwrap(), loss_plot(&moving).unwrap());
        assert_eq!(marked.dimensions(), (2 * 800, 2 * 620), "the weight has a panel");
        assert!(count(&plain, SHADE) == 0 && count(&marked, SHADE) > 100_000, "{}", count(&marked, SHADE));
        // Without a curve across the shading the panel of the loss has less ink.
        let ink = |losses: &Losses| {
            count(&loss_plot(&Losses { terms: Vec::new(), weights: Vec::new(), ..losses.clone() }).unwrap(), PALETTE[1])
        };
        assert!(ink(&moving) < ink(&whole), "{} {}", ink(&moving), ink(&whole));
        // A loss of nothing but epochs that rest says no more than the term that it is then.
        let mut falls = losses(&[1.0, 0.0]);
        falls.moving = vec![4.0..10.0];
        falls.total.test[9].1 = 5.8;
        assert_eq!(loss_plot(&falls).unwrap().width(), 2 * 800);
    }
}
