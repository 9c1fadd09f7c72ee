//! Models with an energy on the command line: the restricted Boltzmann machine and the Hopfield network.

use std::path::Path;

use crate::program::{self, gpu_ae, small_mnist, succeed};
use serde_json::Value;

fn train(data: &Path, out: &Path, more: &[&str]) -> Value {
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let fixed = ["train", "--data", "mnist", "--data-dir", data, "--device", "cpu", "--json", "--out", out];
    serde_json::from_str(&succeed(&[&fixed[..], more].concat())).unwrap()
}

fn number(metrics: &Value, key: &str) -> f64 {
    metrics[key].as_f64().unwrap_or_else(|| panic!("no {key} in {metrics}"))
}

/// Tensors of a checkpoint by name, in order.
fn tensors(run: &Path) -> Vec<(String, Vec<usize>, Vec<u8>)> {
    let bytes = std::fs::read(program::checkpoint(run)).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let views = tensors.tensors().into_iter();
    let mut all: Vec<_> = views.map(|(name, view)| (name, view.shape().to_vec(), view.data().to_vec())).collect();
    all.sort();
    all
}

#[test]
fn a_boltzmann_machine_learns_stays_tied_and_continues_to_the_same_bits() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str| folder.path().join(name);
    let settings = ["--model", "rbm", "--batch-size", "32", "--set", "contrastive_divergence.steps=2"];
    let with = |more: &[&'static str]| [&settings[..], more].concat();
    let first = train(data.path(), &run("parts"), &with(&["--epochs", "1"]));
    let last = train(data.path(), &run("whole"), &with(&["--epochs", "8"]));
    assert!(number(&last, "test_mse") < 0.8 * number(&first, "test_mse"), "{first} then {last}");
    assert!(number(&last, "test_free_energy_difference").is_finite());

    let parts = run("parts");
    let resumed = ["train", "--resume", parts.to_str().unwrap(), "--epochs", "8", "--quiet"];
    succeed(&[&resumed[..], &["--data-dir", data.path().to_str().unwrap()]].concat());
    let whole = tensors(&run("whole"));
    assert!(whole == tensors(&parts), "the resumed run differs");

    let floats = |name: &str| {
        let (_, shape, bytes) = whole.iter().find(|(known, ..)| known == name).unwrap();
        (shape.clone(), bytemuck::pod_collect_to_vec::<u8, f32>(bytes))
    };
    let (shape, encoder) = floats("autoencoder.1.weight");
    let (turned, decoder) = floats("autoencoder.3.weight");
    assert_eq!((shape[0], shape[1]), (turned[1], turned[0]));
    let same = (0..decoder.len()).all(|i| decoder[i] == encoder[i % shape[0] * shape[1] + i / shape[0]]);
    assert!(same, "the decoder is not the encoder transposed");
    assert!(!whole.iter().any(|(name, ..)| name == "adam.m.autoencoder.3.weight"), "a tied weight has no moments");

    let output = gpu_ae(&["compact", run("whole").to_str().unwrap(), "--device", "cpu"]);
    let message = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(output.status.code() == Some(2) && message.contains("tied"), "{message}");

    let judged = succeed(&["eval", run("whole").to_str().unwrap(), "--device", "cpu", "--json"]);
    let judged: Value = serde_json::from_str(&judged).unwrap();
    for key in ["test_mse", "test_free_energy_difference"] {
        assert_eq!(number(&judged, key), number(&last, key), "{key}");
    }

    let sample = |name: &str, more: &[&str]| {
        let (whole, picture) = (run("whole"), run(name));
        let fixed = ["generate", whole.to_str().unwrap(), "--images", "4", "--out", picture.to_str().unwrap()];
        succeed(&[&fixed[..], &["--device", "cpu"], more].concat());
        std::fs::read(picture).unwrap()
    };
    let chains = sample("a.png", &["--steps", "3"]);
    assert!(chains == sample("b.png", &["--steps", "3", "--from", "gibbs"]));
    assert!(chains != sample("b.png", &["--steps", "4"]));
    assert!(chains != sample("b.png", &["--from", "mixture"]));
}

#[test]
fn a_hopfield_network_recalls_what_it_stored() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    for update in ["synchronous", "asynchronous"] {
        let run = folder.path().join(update);
        let order = format!("hopfield.update={update}");
        let settings = ["--model", "hopfield", "--set", "hopfield.loads=[0.1,0.02]", "--set", "hopfield.flips=[0.1]"];
        let recalls = train(data.path(), &run, &[&settings[..], &["--set", &order]].concat());
        let recalls = recalls.as_array().unwrap();
        let rules: Vec<&str> = recalls.iter().map(|recall| recall["rule"].as_str().unwrap()).collect();
        assert_eq!(rules, ["projection", "hebbian", "projection", "hebbian"]);
        assert_eq!(number(&recalls[0], "patterns"), 78.0);
        assert!(number(&recalls[0], "exact") >= 0.95, "{update}: {}", recalls[0]);
        assert!(number(&recalls[1], "exact") < 0.5, "images are too alike for the Hebbian rule: {}", recalls[1]);
        for recall in recalls {
            let before = 1.0 - 2.0 * 78.0 / 784.0;
            assert!((number(recall, "overlap_before") - before).abs() < 1e-9, "a tenth is 78 pixels: {recall}");
            assert!(update == "synchronous" || number(recall, "at_rest") == 1.0, "sweeps end in rest: {recall}");
        }
        let lines = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(&lines, recalls);
        assert!(std::fs::read_to_string(run.join("config.toml")).unwrap().contains("[hopfield]"));
        assert!(run.join("retrieval.png").metadata().unwrap().len() > 1000);
    }
    // There is no network in it, which commands say that need one.
    let run = folder.path().join("synchronous");
    let run = run.to_str().unwrap();
    let commands = [&["eval", run][..], &["encode", run], &["export", run], &["inspect", run], &["compact", run]];
    for words in commands.into_iter().chain([&["train", "--resume", run][..], &["compare", run]]) {
        let output = gpu_ae(words);
        let message = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.code() == Some(2) && message.contains("Hopfield network"), "{words:?}: {message}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let cases: &[(&[&str], &str)] = &[
        (&["--model", "rbm", "--set", "contrastive_divergence.steps=0"], "contrastive_divergence.steps 0"),
        (&["--model", "rbm", "--set", "tied=false"], "tied = true"),
        (&["--model", "vae", "--set", "tied=true"], "tied true"),
        (&["--model", "sparse", "--recipe", "plain", "--set", "tied=2"], "tied=2"),
        (&["--model", "hopfield", "--set", "hopfield.flips=[0.7]"], "hopfield.flips 0.7"),
        (&["--model", "hopfield", "--set", "hopfield.rules=[]"], "hopfield.rules"),
        (&["--model", "hopfield", "--set", "hopfield.update=never"], "hopfield.update"),
    ];
    for (flags, named) in cases {
        let output = gpu_ae(&[&["train", "--out", "unused-folder"][..], flags].concat());
        let message = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.code() == Some(2) && message.contains(named), "{flags:?}: {message}");
        assert!(!Path::new("unused-folder").exists());
    }
}
