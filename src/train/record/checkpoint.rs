//! Checkpoints: the whole training state in one safetensors file, written whole or not at all.
//!
//! Tensors: parameters, the optimiser's moments, the clock (step, data cursor, random keys, latch). Metadata (`tensors.rs`):
//! the configuration, the choice of kernels, and the sums of the epoch under way, with a hash per tensor and of itself. There is no wall-clock time in it, so the same training state gives the same bytes.

#[cfg(feature = "native")]
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::order;
use super::sums::Sums;
use super::tensors::{opened, sealed};
use crate::config::RunConfig;
use crate::data::{Encoding, Fingerprint};
use crate::error::Result;
#[cfg(feature = "native")]
use crate::error::{Error, pasted};
use crate::ops::step::clock;
use crate::train::session::State;
use crate::train::{TermSums, Tuning};
#[cfg(feature = "native")]
use crate::whole_file;

/// Version of the layout.
const FORMAT: u32 = 2;
/// The one before it, which is read too: its sums have no names, and every run had an error and an entropy, in that order,
/// before whatever else it had.
const UNNAMED: u32 = 1;
/// In place of kernels: there was no choice yet.
const STATIC: &str = "static";
/// Name of the newest checkpoint's file, the only one that has a previous one.
#[cfg(feature = "native")]
pub(crate) const NEWEST: &str = "checkpoint.safetensors";
/// What an error says was attempted.
#[cfg(feature = "native")]
const ACTION: &str = "write the checkpoint";

/// A training state with what it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The run's configuration.
    pub config: RunConfig,
    /// The run's kernels; none in a checkpoint from before there was a choice.
    pub tuning: Option<Tuning>,
    /// What the values and labels of the run's rows mean; none in a checkpoint from before that was kept.
    pub encoding: Option<Encoding>,
    /// What tells the rows that the run is trained on from others; none in a checkpoint from before that was kept.
    pub rows: Option<Fingerprint>,
    /// Parameters, moments and clock by name.
    pub state: State,
    /// Sums of the epoch under way.
    pub sums: TermSums,
}

#[derive(Serialize, Deserialize)]
struct Metadata {
    format: u32,
    /// The text of `config.toml`, since JSON has no infinity.
    config: String,
    /// The kernels, as TOML, which a resumed run repeats; see [`STATIC`].
    tuning: String,
    /// What values and labels mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encoding: Option<Encoding>,
    /// What tells the rows from others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows: Option<Fingerprint>,
    sums: Sums,
}

/// Where the checkpoint before the newest one is kept.
#[cfg(feature = "native")]
pub fn previous(path: &Path) -> PathBuf {
    path.with_file_name("checkpoint.prev.safetensors")
}

impl Checkpoint {
    fn clock(&self, word: usize) -> u32 {
        let words = self.state.get("clock").map(|(_, bytes)| bytemuck::pod_collect_to_vec::<u8, u32>(bytes));
        words.and_then(|words| words.get(word).copied()).unwrap_or(0)
    }

    /// Epochs completed when it was made.
    pub fn epoch(&self) -> u32 {
        self.clock(clock::EPOCH)
    }

    /// Steps completed when it was made.
    pub fn step(&self) -> u32 {
        self.clock(clock::STEP)
    }

    /// Rows that the run is trained on.
    #[cfg(feature = "native")]
    pub(in crate::train) fn training_rows(&self) -> usize {
        self.clock(clock::ROWS) as usize
    }

    /// Writes the checkpoint; the one that was there becomes the previous one.
    ///
    /// # Errors
    /// When the folder cannot be written; an earlier checkpoint is then still in place.
    #[cfg(feature = "native")]
    pub fn save(&self, path: &Path) -> Result<()> {
        let bytes = self.to_bytes()?;
        if path.exists() {
            whole_file::keep_as(path, &previous(path), "keep the previous checkpoint as")?;
        }
        whole_file::write(path, &bytes, ACTION)
    }

    /// Writes the checkpoint in place of the one that is there, which is not kept.
    ///
    /// # Errors
    /// When the folder cannot be written; the earlier checkpoint is then still in place.
    #[cfg(feature = "native")]
    pub fn replace(&self, path: &Path) -> Result<()> {
        whole_file::write(path, &self.to_bytes()?, ACTION)
    }

    /// The bytes of its file.
    ///
    /// # Errors
    /// Never for a state of this program.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.of_format(FORMAT, Sums::of(&self.sums))
    }

    fn of_format(&self, format: u32, sums: Sums) -> Result<Vec<u8>> {
        let metadata = Metadata {
            format,
            config: self.config.to_toml()?,
            tuning: self.tuning.as_ref().map_or_else(|| Ok(STATIC.into()), Tuning::to_text)?,
            encoding: self.encoding.clone(),
            rows: self.rows.clone(),
            sums,
        };
        let state = order::to_file(&self.state, &self.config)?;
        sealed(&state, metadata)
    }

    /// Reads a checkpoint and checks every tensor against its hash and against what the configuration says of it; one that it
    /// says nothing of is left out.
    ///
    /// # Errors
    /// When the file is missing, damaged, not of this program, or contradicts itself; the message names the file and, if
    /// there is one, the previous checkpoint and how to resume from it.
    #[cfg(feature = "native")]
    pub fn load(path: &Path) -> Result<Self> {
        let advice = || {
            let earlier = previous(path);
            if path.ends_with(NEWEST) && earlier.exists() {
                let run = pasted(path.parent().unwrap_or(path));
                format!(
                    "; the checkpoint before it is {}: 'gpu-ae train --resume {run} --from-previous' goes on from it",
                    earlier.display()
                )
            } else {
                String::new()
            }
        };
        let bytes = whole_file::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::input(path, format!("there is no checkpoint here{}", advice())),
            _ => Error::io(path, "read")(error),
        })?;
        Self::from_bytes(&bytes).map_err(|problem| Error::input(path, format!("{problem}{}", advice())))
    }

    /// Reads the bytes of its file, as [`load`](Self::load) does.
    ///
    /// # Errors
    /// What is wrong with them, when they are damaged, not of this program, or contradict themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let damaged = |error: &dyn std::fmt::Display| format!("damaged checkpoint ({error})");
        let check = |metadata: &Metadata| match metadata.format {
            UNNAMED | FORMAT
                if cfg!(not(feature = "native")) && metadata.encoding.as_ref().is_some_and(Encoding::is_table) =>
            {
                Err("a checkpoint of a run on a table, which the command line goes on with".into())
            }
            UNNAMED | FORMAT => Ok(()),
            other => Err(format!("a checkpoint of format {other}, this program reads {UNNAMED} and {FORMAT}")),
        };
        let (metadata, mut state) = opened(bytes, "checkpoint", check)?;
        let config = RunConfig::stored(&metadata.config).map_err(|e| damaged(&e))?;
        config.check().map_err(|error| format!("its configuration: {error}"))?;
        order::from_file(&mut state, &config).map_err(|error| format!("its configuration: {error}"))?;
        let sums = metadata.sums.read(&config)?;
        let tuning = match metadata.tuning.as_str() {
            STATIC => None,
            text => Some(Tuning::from_text(text).map_err(|problem| format!("its kernels: {problem}"))?),
        };
        let Metadata { encoding, rows, .. } = metadata;
        Checkpoint { config, tuning, encoding, rows, state, sums }.fitted()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::data::ImageShape;
    use crate::plan::{Choices, Fusion};
    use crate::tensor::DType;
    use crate::train::record::fitting::tests::{small, state};

    fn sample(step: u8) -> Checkpoint {
        let (mut config, data) = small();
        let mut state = state(&config, data, u32::from(step));
        state.values_mut().filter(|(ty, _)| ty.dtype == DType::F32).for_each(|(_, bytes)| bytes.fill(step));
        let sums = TermSums { rows: 0.1 + 0.2, terms: [("mse".into(), 1.0 / 3.0), ("entropy".into(), -0.0)].into() };
        config.entropy.alpha = f32::INFINITY;
        let choices = Choices { fusions: Fusion::ELEMENTARY.iter().copied().collect(), ..Choices::default() };
        let tuning = Some(Tuning { adapter: "A \"quoted\" adapter".into(), choices });
        let encoding = Some(Encoding::numbered(ImageShape::row(4), 3));
        let rows = Some(Fingerprint { rows: 2000, values: "0123".into(), labels: None });
        Checkpoint { config, tuning, encoding, rows, state, sums }
    }

    #[test]
    fn reads_back_what_was_written_and_keeps_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        sample(1).save(&path).unwrap();
        sample(2).save(&path).unwrap();
        sample(3).save(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), sample(3));
        assert_eq!(Checkpoint::load(&previous(&path)).unwrap(), sample(2));
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 2, "temporary files were left behind");
    }

    #[test]
    fn a_checkpoint_without_kernels_and_one_with_unknown_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        let old = Checkpoint { tuning: None, rows: None, ..sample(1) };
        old.save(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), old);
        let mut foreign = sample(1);
        let kernels = BTreeMap::from([("linear 8x8".to_string(), "matmul_never 64x64".to_string())]);
        foreign.tuning.as_mut().unwrap().choices.kernels = kernels;
        foreign.save(&path).unwrap();
        let message = Checkpoint::load(&path).unwrap_err().to_string();
        assert!(message.contains("matmul_never") && message.contains("matmul_nt"), "{message}");
        assert!(message.contains("checkpoint.safetensors"), "{message}");
    }

    #[test]
    fn the_format_before_this_one_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        let old = sample(3);
        let sums =
            Sums::Listed([old.sums.rows, old.sums.terms["mse"], old.sums.terms["entropy"]].map(f64::to_bits).into());
        std::fs::write(&path, old.of_format(UNNAMED, sums).unwrap()).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), old);
        std::fs::write(&path, old.of_format(FORMAT + 1, Sums::of(&old.sums)).unwrap()).unwrap();
        assert!(Checkpoint::load(&path).unwrap_err().to_string().contains("format 3"));
    }

    #[test]
    fn the_same_state_gives_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["a", "b"].map(|name| folder.path().join(name));
        files.iter().for_each(|file| sample(7).save(file).unwrap());
        assert_eq!(std::fs::read(&files[0]).unwrap(), std::fs::read(&files[1]).unwrap());
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        sample(1).save(&path).unwrap();
        sample(2).save(&path).unwrap();
        let good = std::fs::read(&path).unwrap();
        for at in (0..good.len()).step_by(7).chain([good.len() - 1]) {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            std::fs::write(&path, &bad).unwrap();
            match Checkpoint::load(&path) {
                // White space and the like inside the header may be flipped into something equal.
                Ok(read) => assert_eq!(read, sample(2), "byte {at}"),
                Err(error) => {
                    let message = error.to_string();
                    let named = message.contains("checkpoint.safetensors");
                    assert!(named && message.contains("checkpoint.prev.safetensors"), "byte {at}: {message}");
                    assert!(message.contains("--from-previous"), "{message}");
                }
            }
        }
        for length in [0, 7, 100, good.len() - 1] {
            std::fs::write(&path, &good[..length]).unwrap();
            assert!(Checkpoint::load(&path).is_err(), "{length} bytes of {} were accepted", good.len());
        }
        // What never was one is no damaged one.
        let other = Checkpoint::from_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").unwrap_err();
        assert_eq!(other, "not a checkpoint of gpu-ae");
    }
}
