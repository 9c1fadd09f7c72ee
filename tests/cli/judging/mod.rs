//! What a trained model is worth, on the command line: attacks, probes, maps, ranks.

mod attack;
mod inspect;
mod probe;
mod saliency;

use std::path::PathBuf;
use std::sync::LazyLock;

use crate::program::{gpu_ae, small_mnist, succeed, train};
use serde_json::Value;

/// A small data set and runs on it, trained once for all tests.
struct Fixture {
    data: tempfile::TempDir,
    runs: tempfile::TempDir,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let (data, runs) = (small_mnist(), tempfile::tempdir().unwrap());
    let small = ["--device", "cpu", "--quiet"];
    let models: [(&str, &[&str]); 3] = [
        ("classifier", &["--model", "classifier", "--epochs", "6", "--batch-size", "32"]),
        ("vae", &["--model", "vae", "--set", "width=4", "--epochs", "2", "--batch-size", "32"]),
        ("coded", &["--model", "compressive", "--set", "rate.beta=0", "--epochs", "6", "--batch-size", "32"]),
    ];
    for (name, more) in models {
        let output = train(data.path(), &runs.path().join(name), &[&small[..], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let out = runs.path().join("nmn");
    let fixed = ["train", "--model", "nmn", "--epochs", "5", "--out", out.to_str().unwrap()];
    succeed(&[&fixed[..], &small].concat());
    Fixture { data, runs }
});

/// The folder of a run.
fn run(name: &str) -> PathBuf {
    FIXTURE.runs.path().join(name)
}

/// A command on a run, with further arguments.
fn arguments(command: &str, name: &str, more: &[&str]) -> Vec<String> {
    let run = run(name);
    let fixed = [command, run.to_str().unwrap(), "--device", "cpu"];
    fixed.iter().chain(more).map(ToString::to_string).collect()
}

/// The object that a command prints.
#[track_caller]
fn json(command: &str, name: &str, more: &[&str]) -> Value {
    let words = arguments(command, name, &[more, &["--json"]].concat());
    let printed = succeed(&words.iter().map(String::as_str).collect::<Vec<_>>());
    serde_json::from_str(&printed).unwrap()
}

/// The message of a command that must be refused as bad usage or input.
#[track_caller]
fn refused(command: &str, name: &str, more: &[&str]) -> String {
    let words = arguments(command, name, more);
    let output = gpu_ae(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let message = String::from_utf8_lossy(&output.stderr).to_string();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
    message
}

/// Numbers that mean nothing, and what each is refused by: its flag.
#[track_caller]
fn refuse_all(command: &str, cases: &[&str]) {
    for case in cases {
        let message = refused(command, "classifier", &[case]);
        let flag = case.split('=').next().unwrap();
        assert!(message.contains(flag) && message.contains("expected"), "{case}: {message}");
    }
}
