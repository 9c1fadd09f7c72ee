//! Rows that a network has made up, as a classifier names them.

use std::path::Path;

use gpu_ae::model::part::Part;
use gpu_ae::study::lone_part::LonePart;
use gpu_ae::train::{Checkpoint, RunDir, Tuning};
use gpu_ae::{Error, Result};

use crate::cli::flags::open_device;
use crate::cli::terminal::table;
use crate::cli::trained::{RunFlags, Trained};

/// Probability from which on a classifier is certain of a class.
const CERTAIN: f64 = 0.9;

/// In words, how many of these rows the classifier of the run `judge` is certain of, and which classes it finds in them.
pub fn named(judge: &Path, trained: &Trained, flags: &RunFlags, rows: &[f32]) -> Result<String> {
    let checkpoint = classifier(judge, trained)?;
    let device = open_device(&trained.config.device, true)?;
    let choices = Tuning::or_static(checkpoint.tuning.as_ref(), device.as_ref());
    let mut part = LonePart::open(device, &checkpoint, &choices, Part::Answer)?;
    let classes = part.widths()[1];
    let logits = part.run(rows)?;
    let mut found = vec![(0usize, 0usize); classes];
    for logits in logits.chunks_exact(classes) {
        let (class, certainty) = most_likely(logits);
        found[class].0 += 1;
        found[class].1 += usize::from(certainty >= CERTAIN);
    }
    let count = (logits.len() / classes).max(1) as f64;
    let percent = |part: usize| format!("{:.1}", 100.0 * part as f64 / count);
    let names = checkpoint.encoding.as_ref().map(|encoding| encoding.classes.clone()).unwrap_or_default();
    let name = |class: usize| names.get(class).cloned().unwrap_or_else(|| class.to_string());
    let lines = found.iter().enumerate();
    let lines: Vec<Vec<String>> =
        lines.map(|(class, &(all, certain))| vec![name(class), percent(all), percent(certain)]).collect();
    let certain = found.iter().map(|(_, certain)| certain).sum::<usize>();
    let of_classes = table(&["class", "% of all", "% of all, certain"], &lines);
    let what = flags.run.display();
    let by = judge.display();
    Ok(format!(
        "{by} is at least {:.0} % certain of {} % of what {what} drew\n{of_classes}",
        100.0 * CERTAIN,
        percent(certain)
    ))
}

/// The classifier of a run; an error unless it names such rows as these.
fn classifier(judge: &Path, trained: &Trained) -> Result<Checkpoint> {
    let run = RunDir::open_network(judge)?;
    let best = run.best_checkpoint();
    let checkpoint = Checkpoint::load(&if best.exists() { best } else { run.checkpoint() })?;
    let refuse = |problem: String| Error::Usage(format!("--judge {}: {problem}", judge.display()));
    if checkpoint.config.classifier.is_none() {
        return Err(refuse(format!("expected a run of a classifier, not of --model {}", checkpoint.config.model)));
    }
    let (own, rows) = (checkpoint.encoding.as_ref(), &trained.data.encoding);
    let is_alike = own.is_some_and(|own| own.image == rows.image && own.scale == rows.scale && !rows.is_table());
    if !is_alike || checkpoint.features()? != trained.data.train.width {
        let names = own.map_or("other rows".into(), |own| own.described());
        return Err(refuse(format!("expected a classifier of {}, read alike; it is one of {names}", rows.described())));
    }
    Ok(checkpoint)
}

/// The class with the largest logit, and its probability.
fn most_likely(logits: &[f32]) -> (usize, f64) {
    let first = (0, f32::NEG_INFINITY);
    let (class, most) = logits
        .iter()
        .enumerate()
        .fold(first, |best, (class, &logit)| if logit > best.1 { (class, logit) } else { best });
    let sum: f64 = logits.iter().map(|logit| f64::from(logit - most).exp()).sum();
    (class, 1.0 / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_as_likely_as_its_share() {
        assert_eq!(most_likely(&[0.0, 0.0]), (0, 0.5));
        let (class, likely) = most_likely(&[1.0, 1000.0, -5.0]);
        assert_eq!((class, likely), (1, 1.0));
        let (class, likely) = most_likely(&[9f32.ln(), 0.0]);
        assert!(class == 0 && (likely - 0.9).abs() < 1e-6);
    }
}
