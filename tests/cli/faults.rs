//! Every change of the disk fails in turn, as on a full one, or is where a kill comes: afterwards there is nothing, or
//! something that can be gone on with to the same bits.

use std::path::Path;
use std::process::Output;

use crate::program::{checkpoint, command, gpu_ae, succeed};

const TRAIN: [&str; 10] =
    ["train", "--model", "nmn", "--device", "cpu", "--epochs", "2", "--batch-size", "4800", "--quiet"];

/// What a process does that meets its fault at the change of this number; nothing once it makes fewer.
fn fails(call: &[&str], number: usize, kind: &str) -> Option<Output> {
    let output = command(call).env("GPU_AE_FAULT", format!("{number}:{kind}")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return None;
    }
    if kind == "error" {
        assert!(matches!(output.status.code(), Some(1 | 2)), "change {number}: {said}");
        assert!(said.contains("no space left") && said.lines().count() == 1, "change {number}: {said}");
    }
    Some(output)
}

/// Fails at one change after the other: at those with which folders and runs begin, then at some of each kind, such as
/// those of pictures; `check` is told the change, and makes the folder anew.
fn each(call: &[&str], check: impl Fn(&str)) {
    let mut last = 0;
    for number in (1..20).chain((20..).step_by(7)) {
        let kind = ["error", "end"][number % 2];
        if fails(call, number, kind).is_none() {
            break;
        }
        check(&format!("{kind} at change {number}"));
        last = number;
    }
    assert!(last > 19, "only {last} changes were made to fail");
}

fn bits(run: &Path) -> Vec<u8> {
    std::fs::read(checkpoint(run)).unwrap()
}

/// No temporary file is left in a folder that a process has worked in to its end.
fn assert_clean(folder: &Path, label: &str) {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = names.filter(|name| name.ends_with(".tmp")).collect();
    assert!(left.is_empty(), "{label}: {left:?}");
}

#[test]
fn a_run_is_there_or_it_is_not() {
    there_or_not("train", &TRAIN);
}

#[test]
fn clusters_are_there_or_they_are_not() {
    let fixed = ["cluster", "--data", "one-hot-4", "--clusters", "4", "--device", "cpu", "--epochs", "2", "--quiet"];
    there_or_not("cluster", &[&fixed[..], &["--batch-size", "4800"]].concat());
}

fn there_or_not(command: &str, fixed: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let [whole, run] = ["whole", "run"].map(|name| folder.path().join(name));
    succeed(&[fixed, &["--out", whole.to_str().unwrap()]].concat());
    let name = run.to_str().unwrap();
    let call = [fixed, &["--out", name]].concat();
    each(&call, |label| {
        let has_begun = checkpoint(&run).exists();
        // Nothing is left of what failed and was told of; a kill may leave a folder, which is as good as none.
        assert!(has_begun || label.starts_with("end") || !run.exists(), "{label}: a folder is left");
        let resume = [command, "--resume", name, "--quiet"];
        succeed(if has_begun { &resume } else { &call });
        assert!(bits(&whole) == bits(&run), "{label}: other bits");
        assert_clean(&run, label);
        std::fs::remove_dir_all(&run).unwrap();
    });
}

#[test]
fn a_smaller_network_is_there_or_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let [run, whole, smaller] = ["run", "whole", "smaller"].map(|name| folder.path().join(name));
    let name = run.to_str().unwrap();
    succeed(&[&TRAIN[..], &["--out", name]].concat());
    let compact = |out: &Path| {
        let fixed = ["compact", name, "--tolerance", "0.5", "--fine-tune", "2", "--quiet", "--out"];
        [&fixed[..], &[out.to_str().unwrap()]].concat().into_iter().map(String::from).collect::<Vec<String>>()
    };
    let call = |out: &Path| compact(out);
    let (wanted, made) = (call(&whole), call(&smaller));
    succeed(&wanted.iter().map(String::as_str).collect::<Vec<_>>());
    let made: Vec<&str> = made.iter().map(String::as_str).collect();
    each(&made, |label| {
        if checkpoint(&smaller).exists() {
            succeed(&["train", "--resume", smaller.to_str().unwrap(), "--quiet"]);
        } else {
            succeed(&made);
        }
        assert!(bits(&whole) == bits(&smaller), "{label}: other bits");
        assert_clean(&smaller, label);
        std::fs::remove_dir_all(&smaller).unwrap();
    });
}

#[test]
fn a_study_goes_on_whatever_happened_to_a_point() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, study] = ["whole", "study"].map(|name| folder.path().join(name));
    let fixed =
        ["sweep", "--model", "nmn", "--device", "cpu", "--epochs", "1", "--grid", "batch_size=4800", "--seeds", "1"];
    let call = |out: &Path| {
        [fixed.map(String::from).to_vec(), vec!["--quiet".into(), "--out".into(), out.to_str().unwrap().into()]]
            .concat()
    };
    let (wanted, made) = (call(&whole), call(&study));
    succeed(&wanted.iter().map(String::as_str).collect::<Vec<_>>());
    let made: Vec<&str> = made.iter().map(String::as_str).collect();
    each(&made, |label| {
        let resume = ["sweep", "--resume", study.to_str().unwrap(), "--quiet"];
        succeed(if study.join("sweep.toml").exists() { &resume } else { &made });
        let table = |study: &Path| std::fs::read_to_string(study.join("sweep.csv")).unwrap();
        assert_eq!(table(&whole), table(&study), "{label}");
        std::fs::remove_dir_all(&study).unwrap();
    });
}

#[test]
fn a_failed_resume_leaves_what_it_found() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, made, run] = ["whole", "made", "run"].map(|name| folder.path().join(name));
    let train = |epochs: &str, out: &Path| {
        let fixed = [
            "train",
            "--model",
            "nmn",
            "--device",
            "cpu",
            "--quiet",
            "--batch-size",
            "4800",
            "--epochs",
            epochs,
            "--out",
        ];
        succeed(&[&fixed[..], &[out.to_str().unwrap()]].concat());
    };
    train("2", &whole);
    train("1", &made);
    let resume = ["train", "--resume", run.to_str().unwrap(), "--epochs", "2", "--quiet"];
    let anew = || {
        let _ = std::fs::remove_dir_all(&run);
        std::fs::create_dir(&run).unwrap();
        for entry in std::fs::read_dir(&made).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), run.join(entry.file_name())).unwrap();
        }
    };
    anew();
    each(&resume, |label| {
        let judged = gpu_ae(&["eval", run.to_str().unwrap(), "--json"]);
        assert!(judged.status.success(), "{label}: {}", String::from_utf8_lossy(&judged.stderr));
        succeed(&resume);
        assert!(bits(&whole) == bits(&run), "{label}: other bits");
        assert_clean(&run, label);
        anew();
    });
}

#[test]
fn rows_that_cannot_be_kept_are_used_all_the_same() {
    let [photos, cache] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    for number in 0..6u8 {
        // Grey ones first: with the first that has colours the rows before it are written anew.
        let pixel = image::Rgb(if number < 4 { [number; 3] } else { [number, 90, 200] });
        let picture = image::DynamicImage::from(image::RgbImage::from_pixel(4, 4, pixel));
        let picture = if number < 4 { image::DynamicImage::from(picture.to_luma8()) } else { picture };
        picture.save(photos.path().join(format!("{number}.png"))).unwrap();
    }
    let call = ["data", "info", photos.path().to_str().unwrap()];
    let mut calls = command(&call);
    let whole = calls.env("GPU_AE_CACHE", cache.path()).output().unwrap();
    assert!(whole.status.success());
    let decoded = cache.path().join("decoded");
    let names = || {
        let entries = std::fs::read_dir(&decoded).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    let mut failures = 0;
    for number in 1.. {
        let _ = std::fs::remove_dir_all(&decoded);
        let fault = format!("{number}:error");
        let output = command(&call).env("GPU_AE_CACHE", cache.path()).env("GPU_AE_FAULT", fault).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && output.stdout == whole.stdout, "change {number}: {said}");
        assert!(names().iter().all(|name| !name.starts_with('.')), "change {number} left {:?}", names());
        if !said.contains("no space left") {
            break;
        }
        assert!(said.contains("decoded images are kept in memory alone"), "change {number}: {said}");
        assert!(names().is_empty(), "change {number} left {:?}", names());
        failures += 1;
        // A kill there leaves nothing that anyone takes for rows.
        let end = format!("{number}:end");
        assert!(
            !command(&call)
                .env("GPU_AE_CACHE", cache.path())
                .env("GPU_AE_FAULT", end)
                .output()
                .unwrap()
                .status
                .success()
        );
        let is_draft = |name: &String| name.starts_with(".gpu-ae-decoded-");
        assert!(names().iter().all(|name| is_draft(name) || name.ends_with(".rows")), "{:?}", names());
        let after = command(&call).env("GPU_AE_CACHE", cache.path()).output().unwrap();
        assert!(after.status.success() && after.stdout == whole.stdout, "after a kill at change {number}");
    }
    assert!(failures > 8, "only {failures} changes were made to fail");
}
