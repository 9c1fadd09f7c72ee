//! `gpu-ae train`: what a run prints and what it leaves behind.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod cli_common;

use cli_common::{Place, TRAIN, picture};

const FILES: [&str; 6] = [
    "checkpoint.prev.safetensors",
    "checkpoint.safetensors",
    "config.toml",
    "loss.png",
    "metrics.jsonl",
    "reconstructions.png",
];
const KEYS: [&str; 10] = [
    "epoch",
    "step",
    "seconds",
    "samples_per_second",
    "train_loss",
    "train_mse",
    "train_entropy",
    "test_loss",
    "test_mse",
    "test_entropy",
];

#[test]
fn a_run_leaves_exactly_the_promised_files_on_every_device() {
    let place = Place::new();
    for device in place.devices() {
        let out = format!("run on {device}").replace(' ', "-");
        let outcome =
            place.run(&format!("train --data mnist --data-dir data --device {device} --epochs 4 --out {out}")).done();
        assert_eq!(place.names(&out), FILES);

        let metrics = place.metrics(&out);
        assert_eq!(metrics.len(), 4);
        for (i, line) in metrics.iter().enumerate() {
            let line = line.as_object().unwrap();
            let mut keys: Vec<_> = line.keys().map(String::as_str).collect();
            keys.sort_by_key(|key| KEYS.iter().position(|known| known == key));
            assert_eq!(keys, KEYS);
            assert!(line.values().all(|value| value.as_f64().is_some_and(f64::is_finite)), "{line:?}");
            assert_eq!(line["epoch"], i + 1);
            // 600 rows in batches of 128 are 5 steps.
            assert_eq!(line["step"], 5 * (i + 1));
            let rate = line["samples_per_second"].as_f64().unwrap() * line["seconds"].as_f64().unwrap();
            assert!((rate / 600.0 - 1.0).abs() < 1e-6, "{rate} samples an epoch");
            for half in ["train", "test"] {
                let term = |name: &str| line[&format!("{half}_{name}")].as_f64().unwrap();
                let sum = 0.7 * term("mse") + 0.3 * term("entropy");
                assert!((term("loss") - sum).abs() < 1e-6, "{half}: {} is not {sum}", term("loss"));
            }
        }
        for key in ["train_loss", "train_mse", "test_loss", "test_mse"] {
            let values: Vec<f64> = metrics.iter().map(|line| line[key].as_f64().unwrap()).collect();
            assert!(values.is_sorted_by(|a, b| a > b), "{key} does not fall: {values:?}");
        }

        // 32 images in rows of 16, each over its reconstruction.
        let (width, height) = picture(&place.path(&format!("{out}/reconstructions.png")));
        assert!(width >= 16 * 28 && height >= 4 * 28, "{width} x {height}");
        let (width, height) = picture(&place.path(&format!("{out}/loss.png")));
        assert!(width >= 400 && height >= 300, "{width} x {height}");

        // Not a terminal: plain lines, one an epoch, then where to look.
        assert!(!outcome.stdout.contains(['\x1b', '\r']) && !outcome.stderr.contains(['\x1b', '\r']));
        let lines: Vec<_> = outcome.stdout.lines().collect();
        assert_eq!(lines.len(), 4 + 3, "{}", outcome.stdout);
        for (i, line) in lines[..4].iter().enumerate() {
            assert!(line.starts_with(&format!("epoch {}/4  loss ", i + 1)), "{line}");
        }
        assert!(lines[4].ends_with(&out) && lines[6].ends_with(&format!("gpu-ae inspect {out}")), "{lines:?}");
        assert!(outcome.stderr.contains("784-64-20-20-20-64-784 (104,684 parameters)"), "{}", outcome.stderr);
    }
}

#[test]
fn quiet_prints_nothing_and_json_one_object() {
    let place = Place::new();
    let outcome = place.run(&format!("{TRAIN} --epochs 1 --out quiet --quiet")).done();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    for flags in ["--json", "--json --quiet"] {
        let out = format!("json{}", flags.len());
        let outcome = place.run(&format!("{TRAIN} --epochs 2 --out {out} {flags}")).done();
        assert_eq!(outcome.json(), place.metrics(&out)[1]);
        assert_eq!(outcome.stderr, "");
    }
}

#[test]
fn runs_without_a_name_get_one_each() {
    let place = Place::new();
    for _ in 0..2 {
        place.run(&format!("{TRAIN} --epochs 1")).done();
    }
    let names = place.names("runs");
    assert_eq!(names.len(), 2, "{names:?}");
    for name in names {
        let time = name.strip_prefix("mnist-").unwrap();
        assert!(time.len() >= "20260101-000000".len() && time.as_bytes()[8] == b'-', "{name}");
        assert_eq!(place.names(&format!("runs/{name}")), FILES);
    }
}

#[test]
fn what_is_there_is_never_overwritten() {
    let place = Place::with_run();
    let before = place.contents("run");
    place.run(&format!("{TRAIN} --epochs 1 --out run")).refused(2, &["--out run", "not an empty folder", "--resume"]);
    assert_eq!(place.contents("run"), before);
    place.write("file", "mine");
    place.run(&format!("{TRAIN} --epochs 1 --out file")).refused(2, &["--out file"]);
    assert_eq!(place.text("file"), "mine");
    // An empty folder is free.
    std::fs::create_dir(place.path("empty")).unwrap();
    place.run(&format!("{TRAIN} --epochs 1 --out empty")).done();
    assert_eq!(place.names("empty"), FILES);
}

#[test]
fn the_saved_configuration_repeats_the_run_to_the_bit() {
    let place = Place::new();
    place
        .run(&format!(
            "{TRAIN} --epochs 2 --batch-size 50 --lr 3e-4 --lambda-mse 0.9 --lambda-entropy 0.01 --seed 5 --out first"
        ))
        .done();
    place.run("train --config first/config.toml --out second").done();
    assert_eq!(place.read("first/checkpoint.safetensors"), place.read("second/checkpoint.safetensors"));
    assert_eq!(place.text("first/config.toml"), place.text("second/config.toml"));
    assert_eq!(place.timeless_metrics("first"), place.timeless_metrics("second"));
}

#[test]
fn the_seed_decides_the_bytes() {
    let place = Place::new();
    for (out, seed) in [("a", 1), ("b", 1), ("c", 2)] {
        place.run(&format!("{TRAIN} --epochs 2 --seed {seed} --out {out}")).done();
    }
    let checkpoints = ["a", "b", "c"].map(|run| place.read(&format!("{run}/checkpoint.safetensors")));
    assert!(checkpoints[0] == checkpoints[1], "the same seed gave other bytes");
    let weights = ["a", "c"].map(|run| place.tensors(&format!("{run}/checkpoint.safetensors")));
    assert_ne!(weights[0]["autoencoder.1.weight"], weights[1]["autoencoder.1.weight"]);
    assert_ne!(place.timeless_metrics("a"), place.timeless_metrics("c"));
}

#[test]
fn flags_win_over_the_file_and_the_file_over_the_recipe() {
    let place = Place::new();
    place.write("mine.toml", "data = 'mnist'\ndata_dir = 'data'\ndevice = 'cpu'\nepochs = 2\nlr = 0.01\nseed = 9\n");
    place.run("train --config mine.toml --recipe report --epochs 1 --out run").done();
    let config: toml::Table = place.text("run/config.toml").parse().unwrap();
    let number = |key: &str| config[key].as_float().unwrap();
    assert_eq!(config["epochs"].as_integer(), Some(1), "the flag did not win over the file");
    assert_eq!(config["seed"].as_integer(), Some(9));
    assert!((number("lr") - 0.01).abs() < 1e-9, "the file did not win over the recipe");
    // What neither says is the report's.
    assert!((number("lambda_mse") - 0.7).abs() < 1e-9 && (number("lambda_entropy") - 0.3).abs() < 1e-9);
    assert_eq!(config["batch_size"].as_integer(), Some(128));
    assert_eq!(place.metrics("run").len(), 1);
}

#[test]
fn without_its_weight_the_entropy_is_only_watched() {
    let place = Place::new();
    place.run(&format!("{TRAIN} --epochs 2 --lambda-entropy 0 --out plain")).done();
    place.run(&format!("{TRAIN} --epochs 2 --out entropic")).done();
    for line in place.metrics("plain") {
        let value = |key: &str| line[key].as_f64().unwrap();
        assert!((value("train_loss") - 0.7 * value("train_mse")).abs() < 1e-6, "{line}");
        assert!(value("test_entropy") > 1.0, "{line}");
    }
    let last = |run: &str| place.metrics(run)[1]["test_entropy"].as_f64().unwrap();
    assert!(last("entropic") < last("plain"), "{} is not below {}", last("entropic"), last("plain"));
}

#[test]
fn a_batch_larger_than_the_data_is_the_data() {
    let place = Place::new();
    for (out, size) in [("exact", 600), ("large", 1 << 20)] {
        place.run(&format!("{TRAIN} --epochs 2 --batch-size {size} --out {out}")).done();
    }
    assert_eq!(place.tensors("exact/checkpoint.safetensors"), place.tensors("large/checkpoint.safetensors"));
}

#[test]
fn an_order_of_infinity_survives_the_files() {
    let place = Place::new();
    place.run(&format!("{TRAIN} --epochs 1 --out usual")).done();
    let usual = place.text("usual/config.toml");
    assert!(usual.contains("alpha = 0.04\n"), "{usual}");
    place.write("infinite.toml", usual.replace("alpha = 0.04\n", "alpha = inf\n"));
    place.run("train --config infinite.toml --epochs 2 --out run").done();
    assert!(place.text("run/config.toml").contains("alpha = inf\n"));
    place.run("eval run").done();
    place.run("train --resume run --epochs 3").done();
    assert_eq!(place.metrics("run").len(), 3);
}
