//! `--tune`, its cache and its record in the run directory.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::common;
use crate::program::{checkpoint, command};
use gpu_ae::plan::Fusion;
use gpu_ae::train::Checkpoint;

/// A cache folder, and a folder for runs.
struct Place {
    cache: tempfile::TempDir,
    runs: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = || tempfile::tempdir().unwrap();
        Place { cache: folder(), runs: folder() }
    }

    fn run(&self, name: &str) -> PathBuf {
        self.runs.path().join(name)
    }

    fn call(&self, arguments: &[&str]) -> Output {
        command(arguments).env("GPU_AE_CACHE", self.cache.path()).output().unwrap()
    }

    fn train(&self, name: &str, device: &str, more: &[&str]) -> String {
        let out = self.run(name);
        // A network of eight inputs, on which there is little to measure.
        let fixed = ["train", "--model", "nmn", "--data", "one-hot-8", "--device", device, "--out"];
        said(self.call(&[&fixed[..], &[out.to_str().unwrap()], more].concat()))
    }

    fn resume(&self, name: &str, more: &[&str]) -> String {
        let run = self.run(name);
        said(self.call(&[&["train", "--resume", run.to_str().unwrap()], more].concat()))
    }

    fn cached(&self) -> Vec<PathBuf> {
        let folder = self.cache.path().join("tuning");
        std::fs::read_dir(folder).map_or(Vec::new(), |files| files.map(|file| file.unwrap().path()).collect())
    }
}

/// What a run that succeeded said on standard error.
fn said(output: Output) -> String {
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}");
    text
}

fn bytes(run: &Path) -> Vec<u8> {
    std::fs::read(checkpoint(run)).unwrap()
}

/// Leaves one fusion of what the cache says of the network, which nothing else would choose.
fn bend(file: &Path) {
    let mut stored: toml::Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
    for (_, fusions) in stored["fusions"].as_table_mut().unwrap() {
        *fusions = vec!["linear".to_string()].into();
    }
    std::fs::write(file, stored.to_string()).unwrap();
}

#[test]
fn a_tuned_run_is_resumed_to_the_same_bits_whatever_became_of_the_cache() {
    if common::gpu().is_none() {
        return;
    }
    let place = Place::new();
    let line = place.train("first", "gpu", &["--epochs", "1", "--tune", "force"]);
    assert!(line.contains("tuning ") && line.contains(" changed"), "{line}");
    let [file] = &place.cached()[..] else { panic!("{:?}", place.cached()) };
    bend(file);

    let line = place.train("whole", "gpu", &["--epochs", "6"]);
    assert!(!line.contains("tuning "), "measured in spite of the cache: {line}");
    let tuning = Checkpoint::load(&checkpoint(&place.run("whole"))).unwrap().tuning.unwrap();
    assert!(tuning.choices.fusions.iter().eq([&Fusion::Linear]), "the cache was not used");
    place.train("garbled", "gpu", &["--epochs", "2"]);
    place.train("deleted", "gpu", &["--epochs", "2"]);

    std::fs::write(file, "[fusions]\nnonsense = 3").unwrap();
    place.resume("garbled", &["--epochs", "6"]);
    std::fs::remove_file(file).unwrap();
    let line = place.resume("deleted", &["--epochs", "6", "--tune", "off"]);
    assert!(line.contains("--tune") && line.contains("checkpoint names"), "{line}");
    for name in ["garbled", "deleted"] {
        assert!(bytes(&place.run("whole")) == bytes(&place.run(name)), "{name}: a resumed run ended with other bits");
    }

    let run = place.run("whole");
    let output = place.call(&["eval", run.to_str().unwrap(), "--json"]);
    let evaluation: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(evaluation["test_mse"], last["test_mse"], "eval has other kernels");
}

#[test]
fn a_cache_that_cannot_be_used_stops_nothing() {
    if common::gpu().is_none() {
        return;
    }
    let place = Place::new();
    let once = ["--epochs", "1"];
    let force = [&once[..], &["--tune", "force"]].concat();
    place.train("first", "gpu", &force);
    let [file] = &place.cached()[..] else { panic!("{:?}", place.cached()) };
    std::fs::write(file, "version = 3").unwrap();
    let line = place.train("damaged", "gpu", &once);
    assert!(line.contains(file.to_str().unwrap()) && line.contains("chosen anew"), "{line}");
    place.train("again", "gpu", &force);
    assert!(std::fs::read_to_string(file).unwrap().contains("[fusions]"), "not rewritten");

    let quiet = place.train("quiet", "gpu", &[&force[..], &["--quiet"]].concat());
    assert_eq!(quiet, "");

    // A file where the folder should be.
    std::fs::remove_dir_all(place.cache.path().join("tuning")).unwrap();
    std::fs::write(place.cache.path().join("tuning"), "").unwrap();
    let line = place.train("unwritable", "gpu", &force);
    assert!(line.contains("the next run measures again"), "{line}");
}

#[test]
fn the_cpu_device_is_not_tuned_and_a_run_may_change_devices() {
    let place = Place::new();
    let line = place.train("cpu", "cpu", &["--epochs", "1", "--tune", "force"]);
    assert!(!line.contains("tuning ") && place.cached().is_empty(), "{line}");
    let run = place.run("cpu");
    let tuning = Checkpoint::load(&checkpoint(&run)).unwrap().tuning.unwrap();
    assert!(tuning.adapter == "CPU device" && tuning.choices.kernels.is_empty());
    if common::gpu().is_some() {
        let line = place.resume("cpu", &["--epochs", "2", "--device", "gpu"]);
        assert!(line.contains("chosen for CPU device") && line.contains("other bits"), "{line}");
        let tuning = Checkpoint::load(&checkpoint(&run)).unwrap().tuning.unwrap();
        assert_ne!(tuning.adapter, "CPU device");
    }
}
