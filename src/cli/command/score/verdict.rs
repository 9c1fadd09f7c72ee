//! Which rows are odd: those whose errors are beyond what the rows that were learnt from have.

use gpu_ae::device::wait;
use gpu_ae::{Error, Result};
use serde::Serialize;

use crate::cli::bar::Bar;
use crate::cli::output::complain;
use crate::cli::trained::{RunFlags, Trained};

/// Where the border is, and how many rows are beyond it.
#[derive(Serialize)]
pub struct Verdict {
    /// Share of rows that is expected to be odd.
    share: f64,
    /// An error above this one is odd.
    pub threshold: f32,
    /// Whose errors it was fitted on: training rows of the run, or the scored rows themselves.
    fitted_on: &'static str,
    /// How many those were.
    fitted_rows: usize,
    /// Rows that are odd.
    pub odd: usize,
}

impl Verdict {
    /// The border of the errors of the run's training rows that a share of them is beyond; where those cannot be read, of
    /// these scores themselves.
    pub fn fit(share: f64, flags: &RunFlags, trained: &mut Trained, scores: &[f32], quiet: bool) -> Result<Self> {
        let (fitted_on, mut errors) = match training_errors(flags, trained, quiet) {
            Ok(errors) => ("training rows", errors),
            Err(error) => {
                if !quiet {
                    complain(&format!(
                        "the run's training rows cannot be had, the scored rows are taken instead: {error}"
                    ));
                }
                ("scored rows", scores.to_vec())
            }
        };
        let fitted_rows = errors.len();
        let threshold = border(&mut errors, share);
        let odd = scores.iter().filter(|score| **score > threshold).count();
        Ok(Verdict { share, threshold, fitted_on, fitted_rows, odd })
    }

    /// For the terminal.
    pub fn told(&self, rows: usize, threshold: &str) -> String {
        let Verdict { share, fitted_on, fitted_rows, odd, .. } = self;
        let percents = 100.0 * *odd as f64 / rows.max(1) as f64;
        let border = format!("an error above {threshold}, which {share} of {fitted_rows} {fitted_on} have");
        format!("{odd} of {rows} rows are odd ({percents:.1}%): {border}")
    }
}

/// The errors of the rows that the run was trained on.
fn training_errors(flags: &RunFlags, trained: &mut Trained, quiet: bool) -> Result<Vec<f32>> {
    let made = flags.as_made()?;
    let train = if flags.data.is_other_than(&made.config.data) {
        made.config.load_data_as(made.encoding.as_ref())?.train
    } else {
        trained.data.train.clone()
    };
    if train.rows == 0 {
        return Err(Error::Usage("there are none".into()));
    }
    let bar = Bar::new("scoring training rows", train.rows as u64, quiet);
    wait(trained.session.row_errors(&train, |done, _| bar.at(done as u64, &[])))
}

/// The smallest of these errors that no more than a share of them is beyond.
fn border(errors: &mut [f32], share: f64) -> f32 {
    let Some(last) = errors.len().checked_sub(1) else { return f32::INFINITY };
    // So that 0.01 of 200 is two, whatever the last bit of a product.
    let beyond = (share * errors.len() as f64 + 1e-9).floor() as usize;
    *errors.select_nth_unstable_by(last - beyond.min(last), f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::border;

    #[test]
    fn a_share_of_the_errors_is_beyond_the_border() {
        let errors: Vec<f32> = (0..200).map(|number| ((number * 77) % 200) as f32).collect();
        for (share, beyond) in [(0.01, 2), (0.5, 100), (0.004, 0), (0.9999, 199)] {
            let least = border(&mut errors.clone(), share);
            assert_eq!(errors.iter().filter(|error| **error > least).count(), beyond, "{share}");
        }
    }
}
