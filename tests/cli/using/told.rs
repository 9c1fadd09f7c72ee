//! What a run tells others of itself: TensorBoard's events, and its page.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{FIXTURE, ok, refused, run};
use crate::common;
use crate::program::{command, train};
use serde_json::Value;

/// The interpreter that ./check gives what the proofs need of Python.
pub fn python(what: &str) -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python").join("bin/python");
    if python.is_file() {
        return Some(python);
    }
    common::unproved(&format!("{what}: ./check installs what reads it"));
    None
}

fn metrics(run: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn tensorboard_reads_every_figure_every_weight_and_every_picture() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let small =
        ["--device", "cpu", "--quiet", "--batch-size", "32", "--recipe", "plain", "--epochs", "2", "--tensorboard"];
    assert!(train(FIXTURE.data.path(), &run, &small).status.success());
    // Going on needs no flag.
    ok(&[&"train", &"--resume", &run, &"--epochs", &"3", &"--quiet", &"--data-dir", &FIXTURE.data.path()]);
    let Some(python) = python("what TensorBoard makes of events") else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/using/events.py");
    let output = Command::new(python).arg(script).arg(run.join("tensorboard")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let epochs = metrics(&run);
    assert_eq!(epochs.len(), 3);
    for (tag, key) in
        [("train/loss", "train_loss"), ("test/mse", "test_mse"), ("network/active_units_1", "active_units_1")]
    {
        let points = found["scalars"][tag].as_array().unwrap_or_else(|| panic!("no {tag} in {}", found["scalars"]));
        for (point, epoch) in points.iter().zip(&epochs) {
            assert_eq!(point[0], epoch["step"], "{tag}");
            assert_eq!(point[1].as_f64().unwrap() as f32, epoch[key].as_f64().unwrap() as f32, "{tag}");
        }
        assert_eq!(points.len(), 3, "{tag}");
    }
    let weights = found["histograms"]["autoencoder.1.weight"].as_array().unwrap();
    assert_eq!(weights.len(), 3);
    assert!(weights[2][1].as_f64().unwrap() >= 784.0 * 64.0 && weights[2][2].as_f64() < weights[2][3].as_f64());
    let (width, height) = image::image_dimensions(run.join("reconstructions.png")).unwrap();
    let picture = &found["images"]["pictures/reconstructions"][1];
    assert_eq!((picture[1].as_u64(), picture[2].as_u64()), (Some(width.into()), Some(height.into())), "{picture}");
    let output = command(&["train", "--model", "hopfield", "--tensorboard"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("--tensorboard: has no effect"), "{output:?}");
}

/// The data of a page's first charts, and its whole text.
fn page(file: &Path) -> (Value, String) {
    let text = std::fs::read_to_string(file).unwrap();
    let (_, rest) = text.split_once("<script type=\"application/json\">").unwrap();
    let charts = serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap();
    (charts, text)
}

#[test]
fn a_run_leaves_one_page_with_all_of_it() {
    let run = run("vae");
    let (charts, text) = page(&run.join("report.html"));
    let epochs = metrics(&run);
    let of = |title: &str| {
        let charts = charts["charts"].as_array().unwrap();
        charts.iter().find(|chart| chart["title"] == title).unwrap_or_else(|| panic!("no {title}")).clone()
    };
    assert_eq!(charts["charts"][0]["title"], "loss");
    let kl = of("kl");
    let series = kl["series"].as_array().unwrap();
    let test = series.iter().find(|series| series["name"] == "test").unwrap();
    let expected: Vec<Value> =
        epochs.iter().map(|epoch| serde_json::json!([epoch["epoch"].as_f64(), epoch["test_kl"]])).collect();
    assert_eq!(test["points"], Value::from(expected));
    assert!(of("kl of each")["series"].as_array().unwrap().iter().any(|series| series["name"] == "test 3"));
    let pictures = std::fs::read_dir(&run)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "png"));
    assert_eq!(text.matches("data:image/png;base64,").count(), pictures.count());
    assert!(text.contains("model = &quot;vae&quot;") && text.contains("CPU device"), "its settings and its device");
}

#[test]
fn runs_are_compared_on_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("both.png");
    ok(&[&"compare", &run("vae"), &run("plain"), &"--out", &picture, &"--quiet"]);
    let (charts, text) = page(&picture.with_extension("html"));
    let names = |chart: &Value| {
        chart["series"].as_array().unwrap().iter().map(|series| series["name"].clone()).collect::<Vec<_>>()
    };
    let charts = charts["charts"].as_array().unwrap();
    let mse = charts.iter().find(|chart| chart["title"] == "test mse").unwrap();
    assert_eq!(names(mse), ["vae", "plain"]);
    assert!(text.contains("<th>test mse</th>") && text.contains("<td>plain</td>"));
    // Once more over its own, but over nobody else's.
    ok(&[&"compare", &run("vae"), &run("plain"), &"--out", &picture, &"--quiet"]);
    let [own, foreign] = [run("vae").join("report.png"), folder.path().join("index.png")];
    std::fs::write(foreign.with_extension("html"), "<p>mine</p>").unwrap();
    for (out, word) in [(&own, "run directory"), (&foreign, "no page of this program")] {
        let message = refused(&[&"compare", &run("vae"), &run("plain"), &"--out", out]);
        assert!(message.contains(word) && !out.exists(), "{message}");
    }
}

/// What bash makes of words of which the last one is to be completed; an error where there is no bash.
fn completed(words: &[&str]) -> std::io::Result<String> {
    let quoted = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let (last, at) = (words[words.len() - 1], words.len() - 1);
    let (script, before) = (ok(&[&"completions", &"bash"]), words[at - 1]);
    let function = script.rsplit_once("complete -F ").unwrap().1.split(' ').next().unwrap();
    let asked = format!(
        "COMP_WORDS=({quoted}); COMP_CWORD={at}; {function} gpu-ae '{last}' '{before}'; echo \"${{COMPREPLY[@]}}\""
    );
    let output = Command::new("bash").args(["-c", &format!("{script}\n{asked}")]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn shells_and_manuals_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = ok(&[&"completions", &shell]);
        assert!(script.contains("tensorboard") && script.contains("saliency"), "{shell}: {script}");
    }
    assert!(refused(&[&"completions", &"cobol"]).contains("cobol"));
    if let Ok(found) = completed(&["gpu-ae", "export", "--on"]) {
        assert_eq!(found.trim(), "--onnx");
        assert!(completed(&["gpu-ae", "data", ""]).unwrap().contains("preview"));
        assert!(completed(&["gpu-ae", "exp"]).unwrap().contains("export"));
    }
    ok(&[&"man", &"--out", &folder.path(), &"--quiet"]);
    let page = std::fs::read_to_string(folder.path().join("gpu-ae-train.1")).unwrap();
    assert!(
        page.contains("\\-\\-tensorboard") && page.is_ascii() && page.contains("Example:\n.nf\n  gpu\\-ae train"),
        "{page}"
    );
    assert!(folder.path().join("gpu-ae.1").is_file() && folder.path().join("gpu-ae-data-fetch.1").is_file());
    let version = ok(&[&"--version"]);
    assert!(
        version.starts_with(&format!("gpu-ae {}\n", env!("CARGO_PKG_VERSION"))) && version.contains("adapters by"),
        "{version}"
    );
}
