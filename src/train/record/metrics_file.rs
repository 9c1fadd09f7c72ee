//! `metrics.jsonl`: one line an epoch, each with a hash of what is in it.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::train::EpochMetrics;
use crate::whole_file;

const ACTION: &str = "write the metrics";
/// Name of the file that a damaged one is kept as.
const KEPT: &str = "metrics.damaged.jsonl";
/// What stands before a line's hash, its last value.
const BEFORE: &str = ",\"hash\":\"";
const AFTER: &str = "\"}";
/// Digits of a hash: enough to see a change by accident or by hand.
const DIGITS: usize = 16;

/// The first digits of the SHA-256 of a line without its hash.
fn hash(line: &str) -> String {
    let digest = Sha256::digest(line.as_bytes());
    digest.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

fn line(metrics: &EpochMetrics) -> Result<String> {
    let object = serde_json::to_string(metrics).map_err(|error| Error::Failed(format!("metrics: {error}")))?;
    let hash = hash(&object);
    Ok(format!("{}{BEFORE}{hash}{AFTER}\n", object.trim_end_matches('}')))
}

/// Reads a line; one of before lines had hashes is taken as it is.
fn read_line(line: &str) -> Result<EpochMetrics, String> {
    let stripped = line.strip_suffix(AFTER).and_then(|line| line.rsplit_once(BEFORE));
    let object = match stripped {
        Some((object, found)) => {
            let object = format!("{object}}}");
            if hash(&object) != found {
                return Err("its hash does not match: it was changed".into());
            }
            object
        }
        None => line.to_string(),
    };
    serde_json::from_str(&object).map_err(|error| error.to_string())
}

/// What is in a file of metrics.
#[derive(Debug, Default)]
struct Lines {
    epochs: Vec<EpochMetrics>,
    /// The first line that cannot be trusted, from 1, and why.
    damaged: Option<(usize, String)>,
}

fn lines(path: &Path) -> Result<Lines> {
    let bytes = match whole_file::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Lines::default()),
        Err(error) => return Err(Error::io(path, "read")(error)),
    };
    let text = String::from_utf8_lossy(&bytes);
    // A kill cuts the last line off in the middle: what is not whole was never there.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut found = Lines::default();
    for (number, line) in whole.lines().enumerate() {
        match read_line(line) {
            Ok(metrics) => found.epochs.push(metrics),
            Err(problem) => drop(found.damaged.get_or_insert((number + 1, problem))),
        }
    }
    Ok(found)
}

/// Adds an epoch.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn append(path: &Path, metrics: &EpochMetrics) -> Result<()> {
    whole_file::append(path, line(metrics)?.as_bytes(), ACTION)
}

/// The epochs told so far; none where there is no file.
///
/// # Errors
/// When the file cannot be read, or a line is damaged.
pub(super) fn read(path: &Path) -> Result<Vec<EpochMetrics>> {
    let Lines { epochs, damaged } = lines(path)?;
    match damaged {
        Some((number, problem)) => Err(Error::input(path, format!("line {number} is damaged ({problem})"))),
        None => Ok(epochs),
    }
}

/// The epochs completed by `step`, and the file cut back to them: what a run that was killed had measured after its
/// checkpoint will be measured again. Where lines are damaged, the file is kept under another name, and said so.
///
/// # Errors
/// When the file cannot be read or written.
pub(super) fn cut(path: &Path, step: u32) -> Result<(Vec<EpochMetrics>, Option<String>)> {
    let Lines { mut epochs, damaged } = lines(path)?;
    epochs.retain(|metrics| metrics.step <= step);
    let notice = match damaged {
        None => None,
        Some((number, problem)) => {
            let kept = path.with_file_name(KEPT);
            whole_file::keep_as(path, &kept, "keep the damaged metrics as")?;
            let (path, count) = (path.display(), epochs.len());
            let plural = if count == 1 { "" } else { "s" };
            Some(format!(
                "{path}: line {number} is damaged ({problem}); the run goes on with the {count} epoch{plural} that can be \
                 read, the file is kept as {KEPT}"
            ))
        }
    };
    let text = epochs.iter().map(line).collect::<Result<String>>()?;
    whole_file::write(path, text.as_bytes(), ACTION)?;
    Ok((epochs, notice))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn epoch(number: u32) -> EpochMetrics {
        EpochMetrics {
            epoch: number,
            step: 10 * number,
            seconds: 0.1 + 0.2,
            samples_per_second: 1e5,
            train_loss: 1.0 / 3.0,
            test_loss: f64::from(number),
            figures: [("test_mse".to_string(), 1e-300), ("train_mse".to_string(), -0.0)].into(),
        }
    }

    #[test]
    fn what_is_written_is_read_and_every_change_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        assert!(read(&path).unwrap().is_empty());
        (1..4).for_each(|number| append(&path, &epoch(number)).unwrap());
        assert_eq!(read(&path).unwrap(), [epoch(1), epoch(2), epoch(3)]);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{text}");

        let second = text.lines().next().unwrap().len() + 1;
        let third = text.rfind("{\"epoch\"").unwrap();
        for at in second..third - 1 {
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            let message = read(&path).unwrap_err().to_string();
            assert!(message.contains("line 2 is damaged"), "byte {at}: {message}");
        }
        let (kept, notice) = cut(&path, 30).unwrap();
        assert_eq!(kept, [epoch(1), epoch(3)]);
        let notice = notice.unwrap();
        assert!(notice.contains("line 2") && notice.contains("the 2 epochs that can be read"), "{notice}");
        assert!(folder.path().join(KEPT).exists());
        assert_eq!(read(&path).unwrap(), [epoch(1), epoch(3)]);
    }

    #[test]
    fn a_line_cut_off_was_never_there_and_later_epochs_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        (1..4).for_each(|number| append(&path, &epoch(number)).unwrap());
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 9]).unwrap();
        assert_eq!(read(&path).unwrap(), [epoch(1), epoch(2)]);
        assert_eq!(cut(&path, 10).unwrap(), (vec![epoch(1)], None));
        // Of before there were hashes.
        std::fs::write(&path, serde_json::to_string(&epoch(7)).unwrap() + "\n").unwrap();
        assert_eq!(read(&path).unwrap(), [epoch(7)]);
    }
}
