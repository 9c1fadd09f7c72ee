//! What a process does to folders and files: one at a time in a folder, nothing of others' replaced, nothing lost when a
//! signal or a full disk ends it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::program::{checkpoint, command, gpu_ae, small_mnist, succeed};

/// A small network on eight patterns, and an end that takes a while to come.
const LONG: [&str; 7] = ["train", "--model", "nmn", "--device", "cpu", "--epochs", "2000"];
const SHORT: [&str; 8] = ["train", "--model", "nmn", "--device", "cpu", "--epochs", "2", "--quiet"];

fn message(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Starts a run and waits until its first epoch is told.
fn started(arguments: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("epoch") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "no epoch was told");
    }
    (child, lines)
}

#[test]
fn two_processes_never_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody named a folder: both get one.
    let start = |seed: &str| {
        let mut call = command(&[&SHORT[..], &["--seed", seed]].concat());
        call.current_dir(folder.path()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<Child> = ["1", "2", "3"].iter().map(|seed| start(seed)).collect();
    assert!(children.into_iter().all(|child| child.wait_with_output().unwrap().status.success()));
    let runs: Vec<PathBuf> =
        std::fs::read_dir(folder.path().join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut seeds: Vec<u64> =
        runs.iter().map(|run| gpu_ae::train::Checkpoint::load(&checkpoint(run)).unwrap().config.seed).collect();
    seeds.sort_unstable();
    assert_eq!(seeds, [1, 2, 3]);
    assert!(runs.iter().all(|run| std::fs::read_to_string(run.join("metrics.jsonl")).unwrap().lines().count() == 2));

    // Somebody did: the second is refused, and so is whoever would go on with a run that is under way.
    let out = folder.path().join("same");
    let out = out.to_str().unwrap();
    let (mut first, _lines) = started(&[&LONG[..], &["--out", out]].concat());
    // Windows lets nobody read who holds a lock.
    let number = if cfg!(windows) { String::new() } else { format!(" {}", first.id()) };
    let process = format!("process{number} is at work");
    for second in [[&SHORT[..], &["--out", out]].concat(), vec!["train", "--resume", out]] {
        let output = gpu_ae(&second);
        let said = message(&output);
        // A folder with a run in it is no empty one, whoever is at work there.
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&process) || said.contains("is not an empty folder"), "{said}");
    }
    assert!(message(&gpu_ae(&["train", "--resume", out])).contains(&process));
    first.kill().unwrap();
    first.wait().unwrap();
    succeed(&["train", "--resume", out, "--epochs", "1", "--quiet"]);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_run_with_all_of_its_work_kept() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let data = small_mnist();
    // Long epochs, so that a signal comes within one.
    let fixed = ["train", "--data", "mnist", "--data-dir", data.path().to_str().unwrap(), "--recipe", "plain"];
    let fixed = [&fixed[..], &["--device", "cpu", "--batch-size", "1", "--epochs", "6"]].concat();
    succeed(&[&fixed[..], &["--quiet", "--out", whole.to_str().unwrap()]].concat());
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let run = folder.path().join(signal);
        let name = run.to_str().unwrap();
        let (child, _lines) = started(&[&fixed[..], &["--out", name]].concat());
        assert!(
            Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap().success()
        );
        let output = child.wait_with_output().unwrap();
        let said = message(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains("which is kept") && said.contains(&format!("gpu-ae train --resume {name}")), "{said}");
        let kept = gpu_ae::train::Checkpoint::load(&checkpoint(&run)).unwrap();
        assert!(said.contains(&format!("after step {},", kept.step())), "{said}");
        succeed(&["train", "--resume", name, "--quiet"]);
        let read = |run: &Path| std::fs::read(checkpoint(run)).unwrap();
        assert!(read(&whole) == read(&run), "{signal}: other bits");
    }
}

/// Data that never comes: the run is not there yet, and a signal leaves nothing of it.
#[cfg(unix)]
#[test]
fn a_signal_before_there_is_a_run_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = small_mnist();
    let images = data.path().join("mnist/train-images-idx3-ubyte");
    std::fs::remove_file(&images).unwrap();
    assert!(Command::new("mkfifo").arg(&images).status().unwrap().success());
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let run = folder.path().join("runs").join(signal);
        let arguments = ["train", "--data", "mnist", "--data-dir", data.path().to_str().unwrap(), "--device", "cpu"];
        let out = ["--out", run.to_str().unwrap()];
        let child = command(&[&arguments[..], &out].concat()).stderr(Stdio::piped()).spawn().unwrap();
        let begin = Instant::now();
        while !run.join(".lock").exists() {
            assert!(begin.elapsed() < Duration::from_secs(60), "no folder");
            std::thread::sleep(Duration::from_millis(1));
        }
        Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = message(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains("interrupted before there was a run"), "{said}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a folder is left behind");
    }
}

#[cfg(unix)]
#[test]
fn outputs_go_where_their_names_lead() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let run = at("run");
    succeed(&[&SHORT[..], &["--out", &run]].concat());
    succeed(&["encode", &run, "--out", &at("real.npy"), "--quiet"]);
    let codes = std::fs::read(at("real.npy")).unwrap();

    std::os::unix::fs::symlink("real.npy", at("link.npy")).unwrap();
    std::fs::write(at("real.npy"), "old").unwrap();
    succeed(&["encode", &run, "--out", &at("link.npy"), "--quiet"]);
    assert!(folder.path().join("link.npy").is_symlink(), "the link was replaced");
    assert!(std::fs::read(at("real.npy")).unwrap() == codes, "the link was not followed");

    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    let pipe = at("pipe");
    let reader = std::thread::spawn(move || std::fs::read(pipe).unwrap());
    succeed(&["encode", &run, "--out", &at("pipe"), "--quiet"]);
    assert!(reader.join().unwrap() == codes, "the pipe was not written into");

    let refusals = [
        (vec!["encode", &run, "--out", folder.path().to_str().unwrap()], "is a folder"),
        (vec!["encode", &run, "--out", "checkpoint.safetensors"], "ends in .npy"),
        (vec!["encode", &run, "--out", "x.npy", "--labels", "x.npy"], "is the file of --out too"),
        (vec!["score", &run, "--out", "config.toml"], "ends in .csv"),
        (vec!["reconstruct", &run, "--out", "x.jpg"], "ends in .png or .csv"),
        (vec!["decode", &run, "codes.npy", "--picture", "x.webp"], "x.png"),
    ];
    for (call, named) in refusals {
        let output = gpu_ae(&call);
        assert!(output.status.code() == Some(2) && message(&output).contains(named), "{}", message(&output));
    }
    let missing = at("none");
    let output = gpu_ae(&["reconstruct", &run, "--out", &format!("{missing}/x.png")]);
    assert!(message(&output).contains(&format!("{missing}: there is no such folder")), "{}", message(&output));
}

#[test]
fn a_run_finds_its_data_from_anywhere_and_codes_need_none() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let name = run.to_str().unwrap();
    let small = ["--set", "encoder.1.linear=8", "--set", "decoder.2.linear=8"];
    let call = ["train", "--data", "mnist", "--device", "cpu", "--epochs", "1", "--recipe", "plain", "--quiet"];
    for (more, environment) in [(&["--data-dir", "mnist"][..], None), (&[], Some("mnist"))] {
        let mut call = command(&[&call[..], &small, &["--out", name], more].concat());
        call.current_dir(data.path());
        call.envs(environment.map(|folder| ("GPU_AE_DATA", folder)));
        let made = call.output().unwrap();
        assert!(made.status.success(), "{}", message(&made));
        let elsewhere = command(&["eval", name, "--json"]).current_dir(folder.path()).output().unwrap();
        assert!(elsewhere.status.success(), "{}", message(&elsewhere));
        if environment.is_none() {
            std::fs::remove_dir_all(&run).unwrap();
        }
    }
    let codes = folder.path().join("codes.npy");
    let [codes, images] =
        [codes.to_str().unwrap(), folder.path().join("images.npy").to_str().unwrap()].map(String::from);
    succeed(&["encode", name, "--out", &codes, "--quiet"]);
    drop(data);
    succeed(&["decode", name, &codes, "--out", &images, "--quiet"]);
    let again = codes.replace("codes", "again");
    succeed(&["encode", name, "--input", &images, "--out", &again, "--quiet"]);
    assert_eq!(std::fs::metadata(&again).unwrap().len(), std::fs::metadata(&codes).unwrap().len());
}

#[test]
fn damaged_metrics_are_kept_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let name = run.to_str().unwrap();
    succeed(&[&SHORT[..], &["--out", name]].concat());
    let file = run.join("metrics.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.replacen("\"epoch\":1", "\"epoch\":9", 1);
    std::fs::write(&file, &changed).unwrap();
    let compared = gpu_ae(&["compare", name, name]);
    assert!(message(&compared).contains("line 1 is damaged"), "{}", message(&compared));
    let resumed = gpu_ae(&["train", "--resume", name, "--epochs", "3", "--quiet"]);
    let said = message(&resumed);
    assert!(
        resumed.status.success() && said.contains("line 1 is damaged") && said.contains("the 1 epoch that"),
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(run.join("metrics.damaged.jsonl")).unwrap(), changed);
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 2);
}
