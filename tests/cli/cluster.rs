//! Clustering on the command line, on every device, and what is said when it fails.

use std::path::Path;

use crate::common;
use crate::program::{command, gpu_ae, small_mnist, succeed};
use serde_json::Value;

fn cluster(data: &Path, out: &Path, more: &[&str]) -> Value {
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let fixed = ["cluster", "--data", "mnist", "--data-dir", data, "--batch-size", "100", "--json", "--out", out];
    serde_json::from_str(&succeed(&[&fixed[..], more].concat())).unwrap()
}

#[test]
fn clusters_of_digits_agree_with_their_classes_on_every_device() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let devices = if common::gpu().is_some() { vec!["cpu", "gpu"] } else { vec!["cpu"] };
    for device in devices {
        let run = folder.path().join(device);
        let result = cluster(data.path(), &run, &["--device", device, "--epochs", "120", "--lr", "0.003"]);
        let number = |key: &str| result[key].as_f64().unwrap();
        // A tenth is chance; 100 test rows leave some of that to luck.
        assert!(number("purity") > 0.4 && number("nmi") > 0.35 && number("ari") > 0.1, "{device}: {result}");
        assert!(number("clusters_used") > 8.0 && number("accuracy") <= number("purity"), "{device}: {result}");
        for file in ["clusters.csv", "clusters.png", "config.toml", "encoder.safetensors", "metrics.jsonl"] {
            assert!(run.join(file).exists(), "{device}: no {file}");
        }
        assert_eq!(std::fs::read_to_string(run.join("metrics.jsonl")).unwrap().lines().count(), 120);
        let table = std::fs::read_to_string(run.join("clusters.csv")).unwrap();
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!((rows.len(), rows[0].len()), (11, 12), "{table}");
        let counted: u32 = rows[1..].iter().flat_map(|row| &row[2..]).map(|n| n.parse::<u32>().unwrap()).sum();
        assert_eq!(counted, 100);
    }
}

#[test]
fn the_same_seed_gives_the_same_encoder_and_another_one_another() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let encoder = |name: &str, seed: &str| {
        let run = folder.path().join(name);
        cluster(data.path(), &run, &["--device", "cpu", "--hidden", "20,16", "--epochs", "3", "--seed", seed]);
        std::fs::read(run.join("encoder.safetensors")).unwrap()
    };
    let first = encoder("a", "1");
    assert!(first == encoder("b", "1") && first != encoder("c", "2"));
}

#[test]
fn perturbations_are_measured_and_learnt_against() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("vat");
    let flags = ["--device", "cpu", "--augment", "vat", "--hidden", "30", "--epochs", "60", "--lr", "0.003"];
    let gentle = ["--augment-weight", "0.5", "--epsilon", "0.1"];
    let result = cluster(data.path(), &run, &[&flags[..], &gentle].concat());
    let adversarial = result["train_adversarial"].as_f64().unwrap();
    assert!(adversarial > 0.0 && adversarial < 0.5, "{result}");
    assert!(result["purity"].as_f64().unwrap() > 0.3 && result["clusters_used"].as_f64().unwrap() > 7.0, "{result}");
    let config = std::fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("[clustering.adversarial]") && config.contains("epsilon"), "{config}");
    assert_eq!(sorted_by_encoder(&run, data.path()), counts(&run));
}

/// Rows of each cluster in `clusters.csv`.
fn counts(run: &Path) -> Vec<usize> {
    let table = std::fs::read_to_string(run.join("clusters.csv")).unwrap();
    table.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect()
}

/// Where the stored encoder, ReLU between its layers, puts test rows as they are, from 0 to 1.
fn sorted_by_encoder(run: &Path, data: &Path) -> Vec<usize> {
    let bytes = std::fs::read(run.join("encoder.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let values = |name: &str| -> Vec<f32> { bytemuck::pod_collect_to_vec(tensors.tensor(name).unwrap().data()) };
    let test = gpu_ae::data::load(&"mnist".into(), Some(data), 0, None).unwrap().test;
    let mut counts = Vec::new();
    for row in test.device_rows().chunks_exact(test.width) {
        let mut x: Vec<f32> = row.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        for layer in ["encoder.1", "encoder.3"] {
            let (weight, bias) = (values(&format!("{layer}.weight")), values(&format!("{layer}.bias")));
            let dot = |w: &[f32]| w.iter().zip(&x).map(|(w, x)| w * x).sum::<f32>();
            x = weight.chunks_exact(x.len()).zip(&bias).map(|(w, b)| dot(w) + b).collect();
            if layer == "encoder.1" {
                x.iter_mut().for_each(|x| *x = x.max(0.0));
            }
        }
        counts.resize(x.len(), 0);
        counts[(0..x.len()).max_by(|&a, &b| x[a].total_cmp(&x[b])).unwrap()] += 1;
    }
    counts
}

#[test]
fn everything_in_one_cluster_is_said() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (data.path().to_str().unwrap(), folder.path().join("one"));
    let base = ["cluster", "--data", "mnist", "--data-dir", data, "--device", "cpu", "--out", out.to_str().unwrap()];
    let settings = ["--balance", "0", "--epochs", "150", "--lr", "0.01", "--batch-size", "100"];
    let output = command(&[&base[..], &settings].concat()).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(output.status.success() && message.contains("collapsed: every row is in one cluster"), "{message}");
}

#[test]
fn wrong_values_are_refused_by_name() {
    let cases = [
        (["--clusters", "1"], "'--clusters <N>': expected a whole number from 2"),
        (["--epochs", "0"], "'--epochs <N>': expected a whole number from 1"),
        (["--hidden", "0"], "'--hidden <N,N>': expected a whole number from 1"),
        (["--epsilon", "0.1"], "--epsilon 0.1: has no effect"),
        (["--augment-weight", "1"], "--augment-weight 1: has no effect"),
        (["--augment", "none,affine"], "--augment none: expected it by itself"),
        (["--lr", "-1"], "--lr -1"),
        (["--weight-decay", "nan"], "--weight-decay"),
        (["--balance", "-2"], "--balance -2"),
        (["--data", "nothing"], "nothing"),
    ];
    for (flags, named) in cases {
        let output = gpu_ae(&[&["cluster", "--out", "unused-folder"][..], &flags].concat());
        let message = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.code() == Some(2) && message.contains(named), "{flags:?}: {message}");
        assert!(!Path::new("unused-folder").exists());
    }
}

#[test]
fn a_classifier_begins_with_the_encoder_of_clusters() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let (clusters, classes) = (folder.path().join("clusters"), folder.path().join("classes"));
    cluster(data.path(), &clusters, &["--device", "cpu", "--hidden", "20", "--epochs", "2", "--augment", "vat"]);
    let from = clusters.to_str().unwrap();
    let flags = ["train", "--model", "classifier", "--from", from, "--set", "classifier.frozen=true", "--quiet"];
    let more = ["--epochs", "2", "--device", "cpu", "--data-dir", data.path().to_str().unwrap(), "--out"];
    succeed(&[&flags[..], &more, &[classes.to_str().unwrap()]].concat());
    let config = std::fs::read_to_string(classes.join("config.toml")).unwrap();
    assert!(config.contains("linear = 20") && config.contains("path = \"mnist\""), "{config}");
    // Its settings, read again, make the same run, which begins with the same encoder.
    let again = folder.path().join("again");
    let settings = classes.join("config.toml");
    succeed(&["train", "--config", settings.to_str().unwrap(), "--out", again.to_str().unwrap(), "--quiet"]);
    let losses = |run: &Path| {
        let metrics = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
        let of = |line: &str| serde_json::from_str::<Value>(line).unwrap()["train_loss"].clone();
        metrics.lines().map(of).collect::<Vec<_>>()
    };
    assert_eq!(losses(&again), losses(&classes));

    succeed(&["export", classes.to_str().unwrap(), "--quiet"]);
    let (before, after) = (clusters.join("encoder.safetensors"), classes.join("encoder.safetensors"));
    let [before_bytes, after_bytes] = [&before, &after].map(|path| std::fs::read(path).unwrap());
    let [begun, kept] =
        [&before_bytes, &after_bytes].map(|bytes| safetensors::SafeTensors::deserialize(bytes).unwrap());
    for name in ["1.weight", "1.bias", "3.weight", "3.bias"] {
        let begun = begun.tensor(&format!("encoder.{name}")).unwrap();
        assert_eq!(begun.data(), kept.tensor(name).unwrap().data(), "{name} of a frozen encoder");
    }

    assert!(succeed(&["inspect", from]).contains("encoder.1"), "normalised layers have figures as well");
    let refused = [(["generate", from], "this one sorts rows"), (["export", from], "plain layers already")];
    for (command, problem) in &refused {
        let output = gpu_ae(command);
        let message = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.code() == Some(2) && message.contains(problem), "{message}");
    }
    let refusal = || {
        let out = folder.path().join("never");
        let output = gpu_ae(&[&flags[..], &more, &[out.to_str().unwrap()]].concat());
        assert!(output.status.code() == Some(2) && !out.exists());
        String::from_utf8_lossy(&output.stderr).to_string()
    };
    let checkpoint = clusters.join("checkpoint.safetensors");
    let bytes = std::fs::read(&checkpoint).unwrap();
    std::fs::write(&checkpoint, &bytes[..bytes.len() / 2]).unwrap();
    let message = refusal();
    assert!(message.contains("checkpoint.safetensors: damaged checkpoint"), "{message}");
}

/// Sorting is a run like all others: one that was interrupted goes on to the same bits, its settings kept.
#[test]
fn a_run_that_goes_on_ends_as_one_that_never_stopped() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    for augment in ["none", "vat", "vat,affine"] {
        let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(format!("{name} {augment}")));
        let flags = ["--device", "cpu", "--augment", augment, "--hidden", "12", "--seed", "4", "--epochs"];
        cluster(data.path(), &whole, &[&flags[..], &["4"]].concat());
        cluster(data.path(), &parts, &[&flags[..], &["2"]].concat());
        let resume = ["cluster", "--resume", parts.to_str().unwrap(), "--epochs", "4", "--quiet"];
        succeed(&resume);
        for file in ["encoder.safetensors", "clusters.csv"] {
            let [whole, parts] = [&whole, &parts].map(|run| std::fs::read(run.join(file)).unwrap());
            assert!(whole == parts, "{augment}: another {file}");
        }
        assert_eq!(std::fs::read_to_string(parts.join("metrics.jsonl")).unwrap().lines().count(), 4);
        let output = gpu_ae(&[&resume[..], &["--clusters", "3"]].concat());
        assert_eq!(output.status.code(), Some(2), "what a run was made with cannot change");
    }
}

/// Whoever trains it further: what lies beside a checkpoint is of that checkpoint.
#[test]
fn the_encoder_of_a_run_is_that_of_its_last_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let [once, twice] = ["once", "twice"].map(|name| folder.path().join(name).to_str().unwrap().to_string());
    let fixed = ["--data", "one-hot-8", "--device", "cpu", "--batch-size", "4800", "--quiet"];
    let encoder = |run: &str| std::fs::read(Path::new(run).join("encoder.safetensors")).unwrap();
    succeed(&[&["cluster", "--clusters", "4", "--out", &twice, "--epochs", "2"][..], &fixed].concat());
    succeed(&[&["cluster", "--clusters", "4", "--out", &once, "--epochs", "1"][..], &fixed].concat());
    assert!(encoder(&once) != encoder(&twice), "an epoch changes nothing");
    succeed(&["train", "--resume", &once, "--epochs", "2", "--quiet"]);
    assert!(encoder(&once) == encoder(&twice), "the encoder is that of an earlier epoch");
    let trained = folder.path().join("trained");
    let trained = trained.to_str().unwrap();
    succeed(&[&["train", "--model", "cluster", "--out", trained, "--epochs", "1"][..], &fixed].concat());
    assert!(!encoder(trained).is_empty());
}
