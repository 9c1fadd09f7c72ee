//! Shards of a study: processes side by side, each of which trains every so many-th run, and what is made of all of them.

use std::path::Path;

use gpu_ae::claim::Claim;
use gpu_ae::error::pasted;
use gpu_ae::study::study_dir::{Shard, Study, StudyDir};
use gpu_ae::study::sweep::Outcome;
use gpu_ae::{Error, Result};

use super::{Args, asked, folder, gone_on_with};
use crate::cli::output;

/// The study asked for, of which no other process may work on this shard. Whichever shard comes first writes its file.
pub(super) fn open(args: &Args, shard: Shard) -> Result<(StudyDir, Claim, Study)> {
    let (path, study) = match &args.resume {
        Some(path) => (path.clone(), gone_on_with(args, path)?),
        None => (folder(args), asked(args)?),
    };
    let directory = StudyDir(path);
    check_free(&directory)?;
    let kept = directory.shard(shard);
    let claim = if kept.0.exists() { Claim::existing(&kept.0)? } else { Claim::new_folder(&kept.0)? };
    if args.resume.is_none() {
        let text = study.text()?;
        if !directory.study().exists() {
            directory.write(&study)?;
        } else if directory.read()?.text()? != text {
            let expected = "expected the same grid, seeds and settings as those of the shards that are there";
            return Err(Error::input(directory.study(), format!("is of another study; {expected}")));
        }
    }
    claim.keep();
    Ok((directory, claim, study))
}

/// Refuses a folder that is somebody's: neither a study nor what another shard is about to make one of.
fn check_free(directory: &StudyDir) -> Result<()> {
    let others = |entry: std::io::Result<std::fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name() != "shards");
    let has_others = std::fs::read_dir(&directory.0).is_ok_and(|mut entries| entries.any(others));
    if has_others && !directory.study().exists() {
        let expected = "expected a study, an empty folder, or none; nothing was changed";
        return Err(Error::input(&directory.0, expected));
    }
    Ok(())
}

/// The study of a folder whose shards are to be merged.
pub(super) fn open_merged(path: &Path) -> Result<(StudyDir, Claim, Study)> {
    let directory = StudyDir(path.to_path_buf());
    let study = directory.read()?;
    Ok((directory, Claim::existing(path)?, study))
}

/// What came of all runs of all shards, in the order of the study, written as its table.
pub(super) fn merged(directory: &StudyDir, study: &Study) -> Result<Vec<Outcome>> {
    let there = directory.shards()?;
    let of = there.first().map_or(1, |shard| shard.of);
    if let Some(other) = there.iter().find(|shard| shard.of != of) {
        let problem = format!("has shards of {of} and of {}, expected those of one number", other.of);
        return Err(Error::input(&directory.0, problem));
    }
    let mut tables = Vec::with_capacity(of);
    for number in 1..=of {
        tables.push(directory.shard(Shard { number, of }).outcomes()?);
    }
    let runs = study.runs();
    let mut outcomes = Vec::with_capacity(runs.len());
    for (number, run) in runs.iter().enumerate() {
        let outcome = tables[number % of].iter().find(|outcome| run.is(outcome)).cloned();
        outcomes.push(outcome.ok_or_else(|| {
            let shard = Shard { number: number % of + 1, of };
            let path = pasted(&directory.0);
            let problem = format!("shard {shard} has not trained {} seed {}", run.name, run.seed);
            Error::input(&directory.0, format!("{problem}; 'gpu-ae sweep --resume {path} --shard {shard}' does"))
        })?);
    }
    directory.write_outcomes(&outcomes)?;
    Ok(outcomes)
}

/// Tells what came of a shard.
pub(super) fn tell(directory: &StudyDir, shard: Shard, outcomes: &[Outcome], [quiet, json]: [bool; 2]) -> Result<()> {
    if json {
        return output::say_json(&outcomes);
    }
    if !quiet {
        output::tell(&format!("table: {}", directory.shard(shard).table().display()));
        output::tell(&format!("what next: gpu-ae sweep --merge {}, once all shards are trained", pasted(&directory.0)));
    }
    Ok(())
}
