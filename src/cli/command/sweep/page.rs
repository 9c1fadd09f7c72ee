//! The page of a study.

use std::path::Path;

use gpu_ae::Result;
use gpu_ae::study::study_dir::StudyDir;
use gpu_ae::study::sweep::Outcome;
use gpu_ae::train::{EpochMetrics, RunDir};

use crate::cli::pictures::page::write_compared;

/// Writes the page of a study: its table, its pictures, and the curves of the first seed of every point.
pub(super) fn write(
    directory: &StudyDir,
    title: &str,
    outcomes: &[Outcome],
    cells: &[Vec<String>],
    plots: &[&Path],
) -> Result<()> {
    let mut curves: Vec<(String, Vec<EpochMetrics>)> = Vec::new();
    for outcome in outcomes {
        let name = if outcome.point.is_empty() { title } else { &outcome.point };
        if curves.iter().all(|(own, _)| own != name) {
            // A run that is gone has its line in the table all the same.
            let metrics = RunDir::open(&directory.0.join(&outcome.path)).and_then(|run| run.read_metrics());
            curves.push((name.to_string(), metrics.unwrap_or_default()));
        }
    }
    let lead =
        format!("A study of gpu-ae: {title}; {} runs. Curves are of the first seed of every point.", outcomes.len());
    let heading = directory.0.display().to_string();
    write_compared(&directory.page(), [&heading, &lead], cells.to_vec(), &curves, plots)
}
