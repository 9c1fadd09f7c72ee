//! Killed at any moment, resumed to the same bits, on every device.

use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use gpu_ae::train::Checkpoint;

use crate::common;
use crate::program::{checkpoint, command, small_mnist, succeed};

/// How many epochs a run goes on before it is killed, and how long after them, in epochs: in a step, an evaluation, a
/// checkpoint.
const KILLS: [(u32, f64); 4] = [(2, 0.3), (2, 0.7), (3, 0.0), (2, 0.5)];
/// Longest wait for an epoch.
const PATIENCE: Duration = Duration::from_secs(60);

fn arguments<'a>(data: &'a str, device: &'a str, epochs: &'a str, out: &'a str) -> Vec<&'a str> {
    let base = ["train", "--data", "mnist", "--data-dir", data, "--batch-size", "32", "--epochs", epochs];
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
            object.remove("hash");
            value
        })
        .collect()
}

/// Epochs that a run's metrics tell of.
fn told(run: &Path) -> u32 {
    let text = std::fs::read(run.join("metrics.jsonl")).unwrap_or_default();
    text.iter().map(|&byte| u32::from(byte == b'\n')).sum()
}

/// Epochs that a run's checkpoint has behind it.
fn kept(run: &Path) -> u32 {
    let file = checkpoint(run);
    if file.exists() { Checkpoint::load(&file).unwrap().epoch() } else { 0 }
}

/// Whether a process came to this end by [`std::process::Child::kill`] and not by itself.
fn was_killed(status: ExitStatus) -> bool {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status) == Some(9);
    #[cfg(not(unix))]
    return !status.success();
}

/// Waits until a run has told of so many epochs, then `delay` longer, and kills it.
fn kill(mut child: Child, run: &Path, epochs: u32, delay: Duration) {
    let begin = Instant::now();
    while told(run) < epochs {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before its epoch {epochs}");
        assert!(begin.elapsed() < PATIENCE, "no epoch {epochs} in {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(delay);
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(was_killed(status), "the run came to its own end before it was killed after epoch {epochs}: {status}");
}

/// Kills a run of so many epochs again and again, and compares it with one that nobody killed. The kills take up to
/// a dozen epochs; the others are there so that no kill, however late, finds the run at its end.
fn killed_and_resumed(device: &str, epochs: u32, kills: &[(u32, f64)]) {
    let data = small_mnist();
    let data = data.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [whole, broken] = ["whole", "broken"].map(|name| folder.path().join(name));
    let wanted = epochs.to_string();
    succeed(&arguments(data, device, &wanted, whole.to_str().unwrap()));
    let last = std::fs::read_to_string(whole.join("metrics.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    let epoch = Duration::from_secs_f64(last["seconds"].as_f64().unwrap());

    let run = broken.to_str().unwrap();
    let resume = ["train", "--resume", run, "--device", device, "--quiet"];
    let mut call = arguments(data, device, &wanted, run);
    for &(more, beyond) in kills {
        let before = kept(&broken);
        let child = command(&call).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        kill(child, &broken, before + more, epoch.mul_f64(beyond));
        let left = kept(&broken);
        assert!((before + 1..epochs).contains(&left), "{device}: killed at epoch {left} of {epochs}, after {before}");
        println!("{device}: killed at epoch {left} of {epochs}");
        call = resume.to_vec();
    }
    succeed(&resume);
    let read = |run: &Path| std::fs::read(checkpoint(run)).unwrap();
    assert!(read(&whole) == read(&broken), "{device}: a resumed run ended with other bits");
    assert!(timeless(&whole) == timeless(&broken), "{device}: the metrics differ");
    let count = |run: &Path| std::fs::read_dir(run).unwrap().count();
    assert_eq!(count(&whole), count(&broken), "{device}: the kills left files behind");
}

#[test]
fn the_cpu_device_resumes_to_the_same_bits() {
    killed_and_resumed("cpu", 60, &KILLS);
}

#[test]
fn the_adapter_resumes_to_the_same_bits() {
    if common::gpu().is_some() {
        killed_and_resumed("gpu", 18, &KILLS[1..]);
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
        let arguments = arguments(data, "cpu", "6", out.to_str().unwrap());
        let status = command(&arguments).env("RAYON_NUM_THREADS", threads).status().unwrap();
        assert!(status.success());
        std::fs::read(checkpoint(&out)).unwrap()
    });
    assert!(checkpoints[0] == checkpoints[1] && checkpoints[1] == checkpoints[2], "threads change the bits");
}
