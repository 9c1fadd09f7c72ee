//! Studies on the command line: every point and seed once, whatever is interrupted.

use std::path::Path;

use crate::program::{gpu_ae, small_mnist, succeed};
use serde_json::Value;

fn sweep(data: &Path, out: &Path, grid: &str, more: &[&str]) -> String {
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let fixed = ["sweep", "--data", "mnist", "--data-dir", data, "--device", "cpu", "--epochs", "2", "--grid", grid];
    succeed(&[&fixed[..], &["--batch-size", "32", "--out", out], more].concat())
}

fn table(study: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(study.join("sweep.csv")).unwrap();
    text.lines().map(|line| line.split(',').map(str::to_string).collect()).collect()
}

#[test]
fn a_study_has_every_point_and_seed_and_goes_on_where_it_stopped() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("study");
    let text = sweep(data.path(), &study, "alpha=0.5,2 width=8", &["--recipe", "report", "--seeds", "2"]);
    assert!(text.contains("alpha=0.5 width=8") && text.contains(" of 2"), "{text}");
    let rows = table(&study);
    assert_eq!(rows.len(), 5);
    let points: Vec<[&str; 2]> = rows[1..].iter().map(|row| [row[0].as_str(), row[1].as_str()]).collect();
    let [half, two] = ["alpha=0.5 width=8", "alpha=2 width=8"];
    assert_eq!(points, [[half, "0"], [half, "1"], [two, "0"], [two, "1"]]);
    assert!(study.join("sweep.png").exists());
    let run = study.join("alpha-2-width-8").join("seed-1");
    let config = std::fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("alpha = 2.0") && config.contains("seed = 1") && config.contains("linear = 8"), "{config}");

    // The last run lost its line, the one before it was stopped after its first epoch.
    let text = std::fs::read_to_string(study.join("sweep.csv")).unwrap();
    let kept: Vec<&str> = text.lines().take(3).collect();
    std::fs::write(study.join("sweep.csv"), kept.join("\n") + "\n").unwrap();
    let broken = study.join("alpha-2-width-8").join("seed-0");
    std::fs::rename(broken.join("checkpoint.prev.safetensors"), broken.join("checkpoint.safetensors")).unwrap();
    std::fs::remove_dir_all(&run).unwrap();
    succeed(&["sweep", "--resume", study.to_str().unwrap(), "--quiet"]);
    assert_eq!(table(&study), rows, "a study that was interrupted came out differently");

    let other = folder.path().join("other");
    let against = study.to_str().unwrap();
    let more = ["--recipe", "plain", "--seeds", "1", "--against", against];
    let text = sweep(data.path(), &other, "", &more);
    assert!(text.contains("as it is") && text.contains(half), "{text}");
    let json = sweep(data.path(), &folder.path().join("json"), "", &["--seeds", "1", "--json"]);
    let outcomes: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(outcomes.as_array().unwrap().len(), 1);
    assert!(outcomes[0]["test_mse"].as_f64().unwrap() > 0.0);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("study");
    let cases = [
        (["--grid", "alpah=1"], "alpah"),
        (["--grid", "alpha"], "--grid 'alpha'"),
        (["--grid", "alpha=1,-1"], "alpha=-1"),
        (["--seeds", "0"], "--seeds"),
        (["--grid", "seed=1,2"], "--grid seed"),
        (["--against", "nowhere"], "nowhere"),
    ];
    for (flags, named) in cases {
        let output = gpu_ae(&[&["sweep", "--out", out.to_str().unwrap()][..], &flags].concat());
        let message = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.code() == Some(2) && message.contains(named), "{flags:?}: {message}");
        assert!(!out.exists(), "{flags:?} left something behind");
    }
}
