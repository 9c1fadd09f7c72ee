//! Killed at any moment, resumed to the same bits, on every device.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::common;
use crate::program::{checkpoint, command, small_mnist, succeed};

const EPOCHS: &str = "40";

fn arguments<'a>(data: &'a str, device: &'a str, out: &'a str) -> Vec<&'a str> {
    let base = ["train", "--data", "mnist", "--data-dir", data, "--batch-size", "32", "--epochs", EPOCHS];
    [&base[..], &["--device", device, "--out", out, "--quiet"]].concat()
}

/// Metrics without what depends on the clock on the wall.
fn timeless(run: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
            let object = value.as_object_mut().unwrap();
            object.remove("seconds");
            object.remove("samples_per_second");
            value
        })
        .collect()
}

fn killed_and_resumed(device: &str) {
    let data = small_mnist();
    let data = data.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [whole, broken] = ["whole", "broken"].map(|name| folder.path().join(name));
    succeed(&arguments(data, device, whole.to_str().unwrap()));

    let mut kills = 0;
    let run = broken.to_str().unwrap();
    for delay in [400, 150, 700, 250] {
        let resume = ["train", "--resume", run, "--device", device, "--quiet"];
        let started = checkpoint(&broken).exists();
        let call = if started { resume.to_vec() } else { arguments(data, device, run) };
        if !started && broken.exists() {
            std::fs::remove_dir_all(&broken).unwrap();
        }
        let mut child = command(&call).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Killed some time after it has begun, wherever it then is: in a step, a checkpoint, a picture.
        let begin = std::time::Instant::now();
        while !checkpoint(&broken).exists() && begin.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(delay));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
    }
    println!("{device}: killed {kills} times");
    succeed(&["train", "--resume", run, "--device", device, "--quiet"]);
    let read = |run: &Path| std::fs::read(checkpoint(run)).unwrap();
    assert!(read(&whole) == read(&broken), "{device}: a resumed run ended with other bits");
    assert_eq!(timeless(&whole), timeless(&broken), "{device}: the metrics differ");
    let count = |run: &Path| std::fs::read_dir(run).unwrap().count();
    assert_eq!(count(&whole), count(&broken), "{device}: the kills left files behind");
}

#[test]
fn the_cpu_device_resumes_to_the_same_bits() {
    killed_and_resumed("cpu");
}

#[test]
fn the_adapter_resumes_to_the_same_bits() {
    if common::gpu().is_some() {
        killed_and_resumed("gpu");
    }
}

#[test]
fn more_epochs_continue_as_if_they_had_been_asked_for_at_once() {
    let data = small_mnist();
    let data = data.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [long, short] = ["long", "short"].map(|name| folder.path().join(name).to_str().unwrap().to_string());
    let train = |out: &str, epochs: &str| {
        let fixed = ["train", "--recipe", "report", "--data", "mnist", "--data-dir", data, "--device", "cpu"];
        succeed(&[&fixed[..], &["--out", out, "--epochs", epochs]].concat());
    };
    train(&long, "5");
    train(&short, "2");
    succeed(&["train", "--resume", &short, "--epochs", "5"]);
    let read = |run: &str| std::fs::read(checkpoint(Path::new(run))).unwrap();
    assert!(read(&long) == read(&short), "other bits");
    let again = command(&["train", "--resume", &short]).output().unwrap();
    assert!(again.status.success() && String::from_utf8_lossy(&again.stderr).contains("nothing is left to do"));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let data = small_mnist();
    let data = data.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = ["1", "2", "3"].map(|threads| {
        let out = folder.path().join(threads);
        let arguments = arguments(data, "cpu", out.to_str().unwrap());
        let status = command(&arguments).env("RAYON_NUM_THREADS", threads).status().unwrap();
        assert!(status.success());
        std::fs::read(checkpoint(&out)).unwrap()
    });
    assert!(checkpoints[0] == checkpoints[1] && checkpoints[1] == checkpoints[2], "threads change the bits");
}
