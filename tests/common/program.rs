//! The program driven as a process, on a small data set in MNIST's file format.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Training rows of the small data set: two full batches of 128 and a partial one.
pub const ROWS: usize = 300;

/// A folder that holds a small `mnist/`, made of the built-in digits.
pub fn small_mnist() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let digits = gpu_ae::data::set::digits::dataset(5, ROWS, 100).unwrap();
    let mnist = folder.path().join("mnist");
    std::fs::create_dir(&mnist).unwrap();
    for (prefix, split) in [("train", &digits.train), ("t10k", &digits.test)] {
        let count = (split.rows as u32).to_be_bytes();
        let side = 28u32.to_be_bytes();
        let images = [&[0, 0, 8, 3][..], &count, &side, &side, &split.device_rows()].concat();
        let labels = [&[0, 0, 8, 1][..], &count, &label_bytes(split)].concat();
        std::fs::write(mnist.join(format!("{prefix}-images-idx3-ubyte")), images).unwrap();
        std::fs::write(mnist.join(format!("{prefix}-labels-idx1-ubyte")), labels).unwrap();
    }
    folder
}

/// The labels of rows, a byte each.
#[allow(dead_code)]
pub fn label_bytes(split: &gpu_ae::data::Split) -> Vec<u8> {
    split.labels.iter().map(|&label| label as u8).collect()
}

/// A command of the program with these arguments.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("gpu-ae"));
    // Whatever was tuned on this machine before is none of the tests' business.
    command.env("GPU_AE_CACHE", env!("CARGO_TARGET_TMPDIR")).args(arguments);
    command
}

/// Runs the program to its end.
pub fn gpu_ae(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// Runs the program, which must succeed; its standard output.
#[allow(dead_code)]
pub fn succeed(arguments: &[&str]) -> String {
    let output = gpu_ae(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?} failed: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Trains on the small data set into `out` with further arguments.
#[allow(dead_code)]
pub fn train(data: &Path, out: &Path, more: &[&str]) -> Output {
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let fixed = ["train", "--data", "mnist", "--data-dir", data, "--out", out];
    gpu_ae(&[&fixed[..], more].concat())
}

/// Path of a run's file.
#[allow(dead_code)]
pub fn checkpoint(run: &Path) -> PathBuf {
    run.join("checkpoint.safetensors")
}
