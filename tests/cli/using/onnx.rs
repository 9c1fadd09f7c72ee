//! Networks as ONNX files, read and run by others.

use std::path::Path;
use std::process::Command;

use super::told::python;
use super::{FIXTURE, ok, run, test_rows, write_rows};
use crate::program::gpu_ae;

/// A network with every block that there is, for colour images of 8 × 8 pixels.
const EVERY_BLOCK: &str = r#"
model = "conv"
lambda_mse = 1.0
[[encoder]]
unflatten = "8x8x3"
[[encoder]]
conv = 8
kernel = 3
padding = 1
bias = false
[[encoder]]
norm = "batch"
[[encoder]]
activation = "leaky-relu"
[[encoder]]
residual = [{ conv = 8, kernel = 3, padding = 1, groups = 2, activation = "softplus" }, { conv = 8, kernel = 1 }]
shortcut = [{ conv = 8, kernel = 1, activation = "tanh" }]
[[encoder]]
gdn = true
[[encoder]]
pool = "max"
kernel = 3
stride = 2
padding = 1
[[encoder]]
conv = 12
kernel = [3, 2]
padding = [2, 1]
dilation = 2
activation = "leaky-relu-0.2"
[[encoder]]
norm = "group"
groups = 4
[[encoder]]
pool = "average"
kernel = 2
stride = 1
padding = 1
[[encoder]]
flatten = true
[[encoder]]
linear = 16
activation = "relu"
[[encoder]]
norm = "layer"
[[encoder]]
linear = 6
[[decoder]]
linear = 48
activation = "relu"
[[decoder]]
dropout = 0.1
[[decoder]]
unflatten = "2x2x12"
[[decoder]]
conv_transpose = 8
kernel = 3
stride = 2
padding = 1
output_padding = 1
groups = 2
[[decoder]]
gdn = true
inverse = true
[[decoder]]
upsample = 2
between = "bilinear"
[[decoder]]
conv = 4
kernel = 3
padding = 1
stride = 2
[[decoder]]
upsample = 2
[[decoder]]
conv = 3
kernel = 1
activation = "sigmoid"
[[decoder]]
flatten = true
"#;

/// What the checker and the runtime say of the files of a run, given what the program makes of the same rows; nothing where they
/// are not installed.
fn judged(run: &Path, rows: &Path, data: &[&dyn AsRef<Path>]) -> Option<String> {
    let python = python("what others make of ONNX files")?;
    let folder = tempfile::tempdir().unwrap();
    let (codes, answers) = (folder.path().join("codes.npy"), folder.path().join("answers.npy"));
    let device: [&dyn AsRef<Path>; 2] = [&"--device", &"cpu"];
    ok(&[&[&"encode" as &dyn AsRef<Path>, &run, &"--out", &codes], data, &device].concat());
    ok(&[&"decode", &run, &codes, &"--out", &answers, &"--device", &"cpu"]);
    ok(&[&"export", &run, &"--onnx", &"--quiet", &"--out", &folder.path()]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/using/run_onnx.py");
    let output = Command::new(python).arg(script).args([folder.path(), rows, &codes, &answers]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).to_string();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    Some(said)
}

#[test]
fn others_make_of_rows_what_this_program_makes_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let rows = folder.path().join("rows.npy");
    let split = test_rows();
    write_rows(&rows, split.width, &split.values(0..split.rows)).unwrap();
    for (name, outputs) in [("vae", "code, log_variance"), ("plain", "code")] {
        let Some(said) = judged(&run(name), &rows, &[&"--data-dir", &FIXTURE.data.path()]) else { return };
        let expected = format!(
            "encoder.onnx: rows to {outputs}\ndecoder.onnx: code to reconstruction\nmodel.onnx: rows to reconstruction\n"
        );
        assert_eq!(said, expected, "{name}");
    }
}

#[test]
fn every_block_has_a_counterpart() {
    let folder = tempfile::tempdir().unwrap();
    let [rows, config, run] = ["rows.npy", "blocks.toml", "run"].map(|name| folder.path().join(name));
    let values: Vec<f32> = (0..40 * 192).map(|at| ((at * 7919) % 1009) as f32 / 1008.0).collect();
    write_rows(&rows, 192, &values).unwrap();
    std::fs::write(&config, EVERY_BLOCK).unwrap();
    let more = ["--epochs", "2", "--batch-size", "16", "--device", "cpu", "--quiet"];
    let paths: [&dyn AsRef<Path>; 7] = [&"train", &"--config", &config, &"--data", &rows, &"--out", &run];
    let more = more.iter().map(|word| word as &dyn AsRef<Path>);
    ok(&paths.into_iter().chain(more).collect::<Vec<_>>());
    // As data other than the run's own, whose rows keep their order.
    let others = folder.path().join("others.npy");
    std::fs::copy(&rows, &others).unwrap();
    judged(&run, &rows, &[&"--data", &others]);
}

#[test]
fn what_is_no_run_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("onnx");
    let missing = folder.path().join("missing");
    let arguments = ["export", missing.to_str().unwrap(), "--onnx", "--out", out.to_str().unwrap()];
    let output = gpu_ae(&arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing"), "{output:?}");
    assert!(!out.exists());
}
