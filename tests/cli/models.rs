//! Every model of the family on the command line: what it tells, what continues it, what is refused.

use std::path::Path;

use crate::program::{gpu_ae, small_mnist, succeed};
use gpu_ae::train::record::export::Part;
use serde_json::Value;

fn train(model: &str, data: &Path, out: &Path, more: &[&str]) -> Value {
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let fixed =
        ["train", "--model", model, "--data", "mnist", "--data-dir", data, "--device", "cpu", "--json", "--out", out];
    serde_json::from_str(&succeed(&[&fixed[..], more].concat())).unwrap()
}

fn number(metrics: &Value, key: &str) -> f64 {
    metrics[key].as_f64().unwrap_or_else(|| panic!("no {key} in {metrics}"))
}

#[test]
fn every_model_trains_with_its_defaults_and_tells_its_terms() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let told: [(&str, &[&str]); 6] = [
        ("sparse", &["test_sparsity"]),
        ("contractive", &["test_contractive"]),
        ("denoising", &["test_denoising"]),
        ("dropout", &["test_mse"]),
        ("vae", &["test_nll", "test_kl", "test_elbo"]),
        ("wae", &["test_wasserstein"]),
    ];
    for (model, keys) in told {
        let run = folder.path().join(model);
        let metrics = train(model, data.path(), &run, &["--epochs", "3", "--batch-size", "32"]);
        let lines = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
        let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        assert!(number(&metrics, "test_loss") < number(&first, "test_loss"), "{model}: {metrics}");
        let run = run.to_str().unwrap();
        let judged: Value = serde_json::from_str(&succeed(&["eval", run, "--device", "cpu", "--json"])).unwrap();
        for key in keys {
            assert_eq!(number(&judged, key), number(&metrics, key), "{model} {key}");
        }
        let noisy = succeed(&["eval", run, "--device", "cpu", "--json", "--noise", "gaussian=0.4"]);
        let noisy: Value = serde_json::from_str(&noisy).unwrap();
        let (noisy, clean) = (number(&noisy, "test_denoising"), number(&noisy, "test_mse"));
        assert!(noisy > 0.0 && noisy != clean, "{model}: {noisy} of noisy images, {clean} of clean ones");
    }
}

/// The norm of the Jacobian is told whether it is penalised or not, so that runs can be compared.
#[test]
fn a_penalty_on_the_jacobian_lowers_what_is_measured_without_it() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let norm = |set: &[&str]| {
        let run = folder.path().join(set.concat());
        let more: Vec<&str> = set.iter().flat_map(|&key| ["--set", key]).chain(["--epochs", "6"]).collect();
        number(&train("contractive", data.path(), &run, &more), "test_contractive")
    };
    let free = norm(&["contractive.weight=0"]);
    let exact = norm(&["contractive.weight=1"]);
    let estimated = norm(&["contractive.weight=1", "contractive.method=hutchinson", "contractive.probes=4"]);
    assert!(exact < 0.5 * free, "{exact} with a penalty, {free} without");
    assert!((0.7..1.4).contains(&(estimated / exact)), "{estimated} by projections, {exact} exactly");
}

#[test]
fn the_evidence_is_what_likelihood_and_divergence_leave() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let metrics = train("vae", data.path(), &folder.path().join("run"), &["--epochs", "2"]);
    let sum = number(&metrics, "test_nll") + number(&metrics, "test_kl");
    assert!((sum + number(&metrics, "test_elbo")).abs() < 1e-9 && number(&metrics, "test_kl") > 0.0, "{metrics}");
    assert!((number(&metrics, "test_loss") - sum).abs() < 1e-6, "{metrics}");
}

#[test]
fn a_variational_run_continues_to_the_same_bits() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let settings = ["--set", "variational.warm_up=3", "--set", "variational.beta=2", "--seed", "4"];
    let whole = folder.path().join("whole");
    train("vae", data.path(), &whole, &[&settings[..], &["--epochs", "4"]].concat());
    let parts = folder.path().join("parts");
    train("vae", data.path(), &parts, &[&settings[..], &["--epochs", "2"]].concat());
    let resumed = ["train", "--resume", parts.to_str().unwrap(), "--epochs", "4", "--quiet"];
    succeed(&[&resumed[..], &["--data-dir", data.path().to_str().unwrap()]].concat());
    let tensors = |run: &Path| {
        let bytes = std::fs::read(run.join("checkpoint.safetensors")).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut all: Vec<(String, Vec<u8>)> =
            tensors.tensors().into_iter().map(|(name, view)| (name, view.data().to_vec())).collect();
        all.sort();
        all
    };
    let (whole, parts) = (tensors(&whole), tensors(&parts));
    assert!(whole.iter().any(|(name, _)| name == "log_variance.weight"));
    assert!(whole == parts, "the resumed run differs");
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let cases: &[(&[&str], &str)] = &[
        (&["--model", "nothing"], "--model nothing"),
        (&["--model", "dropout", "--set", "dropout.rate=1"], "dropout.rate 1"),
        (&["--model", "dropout", "--set", "dropout.layers=[4]"], "dropout.layers 4"),
        (&["--model", "denoising", "--set", "corruption.amount=-1"], "corruption.amount -1"),
        (&["--model", "denoising", "--set", "corruption.kind=fog"], "corruption.kind"),
        (&["--model", "sparse", "--set", "encoder.1.activation=relu"], "sparsity.layers 1"),
        (&["--model", "sparse", "--set", "sparsity.weight=nan"], "sparsity.weight"),
        (&["--model", "contractive", "--set", "contractive.weight=-1"], "contractive.weight -1"),
        (&["--model", "contractive", "--set", "contractive.probes=0"], "contractive.probes 0"),
        (&["--model", "vae", "--set", "variational.beta=-1"], "variational.beta -1"),
        (&["--model", "classifier", "--set", "classifier.labels=15"], "classifier.labels 15"),
        (&["--model", "classifier", "--set", "decoder.2.linear=9"], "decoder.2.linear 9: expected 10, the classes"),
        (&["--model", "classifier", "--lambda-mse", "1"], "--lambda-mse 1"),
        (&["--model", "vae", "--from", "unused-folder"], "--from unused-folder: expected --model classifier"),
        (&["--model", "wae", "--set", "wasserstein.weight=-1"], "wasserstein.weight -1"),
        (&["--model", "wae", "--set", "wasserstein.kind=sinkhorn"], "wasserstein.kind"),
        (&["--model", "wae", "--batch-size", "1"], "--batch-size 1"),
        // Whose section it is comes first, whatever else does not fit.
        (
            &["--model", "nmn", "--set", "variational.beta=2"],
            "variational.beta=2: [variational] belongs to --model vae",
        ),
        (&["--set", "clustering.balance=1"], "clustering.balance=1: [clustering] belongs to --model cluster"),
        (&["--set", "optimizer.clip=1"], "the nearest are optimiser.clip"),
        (&["--set", "model=vae"], "--set model=vae: --model chooses it"),
        // What changes nothing is not ignored in silence.
        (&["--model", "vae", "--budget", "0.1"], "--budget 0.1: has no effect"),
        (&["--recipe", "plain", "--set", "alpha=1"], "--set alpha=1: has no effect"),
        (&["--model", "vae", "--set", "variational.sigma=0.3"], "variational.sigma=0.3: has no effect"),
        (&["--model", "cluster", "--recipe", "report"], "--recipe report: has no effect"),
        (&["--model", "hopfield", "--epochs", "3"], "--epochs 3: has no effect"),
        (&["--model", "hopfield", "--profile"], "--profile: has no effect"),
        (&["--data", "digits", "--data-dir", "somewhere"], "--data-dir somewhere: has no effect"),
    ];
    for (flags, named) in cases {
        let output = gpu_ae(&[&["train", "--out", "unused-folder"][..], flags].concat());
        let message = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.code() == Some(2) && message.contains(named), "{flags:?}: {message}");
        assert!(!Path::new("unused-folder").exists());
    }
}

#[test]
fn drawn_codes_are_not_compacted() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    train("vae", data.path(), &run, &["--epochs", "1"]);
    let output = gpu_ae(&["compact", run.to_str().unwrap(), "--device", "cpu"]);
    let message = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(output.status.code() == Some(2) && message.contains("variational"), "{message}");
}

#[test]
fn the_encoder_task_is_learnt_and_its_codes_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let printed = succeed(&["train", "--model", "nmn", "--device", "cpu", "--out", run.to_str().unwrap()]);
    let table: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
    let first = table.iter().position(|words| words.first() == Some(&"pattern")).expect("a table") + 2;
    let mut corners = std::collections::BTreeSet::new();
    for (number, words) in table[first..first + 8].iter().enumerate() {
        assert_eq!(words[0], (number + 1).to_string());
        corners.insert(words[1..4].iter().map(|value| value.parse::<f64>().unwrap() > 0.5).collect::<Vec<bool>>());
        assert!(words[4].parse::<f64>().unwrap() < 0.1, "{printed}");
    }
    assert!(corners.len() >= 6, "codes hardly differ: {printed}");
    let out = folder.path().join("five");
    let sizes = ["--data", "one-hot-5", "--set", "encoder.1.linear=2"];
    let fixed = ["train", "--model", "nmn", "--device", "cpu", "--json", "--out", out.to_str().unwrap()];
    let metrics: Value = serde_json::from_str(&succeed(&[&fixed[..], &sizes].concat())).unwrap();
    assert!(number(&metrics, "test_mse") < 0.01, "{metrics}");
    // The answer is as wide as the data unless something else is said.
    let wrong = ["--set", "decoder.1.linear=8"];
    let wrong = gpu_ae(&[&["train", "--model", "nmn", "--data", "one-hot-5", "--device", "cpu"], &wrong[..]].concat());
    let message = String::from_utf8_lossy(&wrong.stderr).to_string();
    assert!(message.contains("decoder.1.linear 8: expected 5"), "{message}");
}

#[test]
fn a_model_s_file_builds_what_the_model_is() {
    let folder = tempfile::tempdir().unwrap();
    for model in gpu_ae::config::MODELS.iter().filter(|model| **model != "hopfield") {
        let file = folder.path().join(format!("{model}.toml"));
        for more in [&[][..], &["--all"]] {
            std::fs::write(&file, succeed(&[&["config", "show", model][..], more].concat())).unwrap();
            let checked = succeed(&["config", "check", file.to_str().unwrap()]);
            assert!(checked.contains("encoder.1") && checked.contains(model), "{checked}");
        }
    }
    let hopfield = folder.path().join("hopfield.toml");
    std::fs::write(&hopfield, succeed(&["config", "show", "hopfield"])).unwrap();
    assert!(
        succeed(&["config", "check", hopfield.to_str().unwrap()]).contains("784 neurons, 78, 15, 39, 156 patterns")
    );
    let vae = folder.path().join("vae.toml");
    let checked = succeed(&["config", "check", vae.to_str().unwrap()]);
    // 784-400-20-400-784 with a second layer of 20: 314,000 + 8,020 + 8,020 + 8,400 + 314,384.
    assert!(checked.contains("652,824") && checked.contains("1 nll + 1 kl"), "{checked}");
    let text = std::fs::read_to_string(&vae).unwrap().replace("linear = 784", "linear = 785");
    std::fs::write(&vae, &text).unwrap();
    let line = 1 + text[..text.find("linear = 785").unwrap()].matches('\n').count();
    let refused = gpu_ae(&["config", "check", vae.to_str().unwrap()]);
    let message = String::from_utf8_lossy(&refused.stderr).to_string();
    assert!(message.contains(&format!("line {line}: decoder.2.linear 785: expected 784")), "{message}");
}

/// Elements of all parameters of a run, counted in its checkpoint.
fn parameters(run: &Path) -> usize {
    let bytes = std::fs::read(run.join("checkpoint.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let own = tensors.tensors().into_iter().filter(|(name, _)| name.starts_with("autoencoder."));
    own.map(|(_, tensor)| tensor.shape().iter().product::<usize>()).sum()
}

#[test]
fn a_classifier_begins_with_another_run_s_encoder() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("first");
    train("denoising", data.path(), &first, &["--epochs", "1", "--set", "encoder.2.linear=24"]);
    let from = ["--from", first.to_str().unwrap(), "--epochs", "3", "--batch-size", "16"];
    let encoder = |run: &Path| {
        let out = run.join("exported");
        succeed(&["export", run.to_str().unwrap(), "--out", out.to_str().unwrap(), "--quiet"]);
        Part::read(&out.join("encoder.safetensors")).unwrap().1
    };
    let begun = encoder(&first);
    for frozen in [true, false] {
        let run = folder.path().join(format!("frozen {frozen}"));
        let frozen_key = format!("classifier.frozen={frozen}");
        let metrics = train("classifier", data.path(), &run, &[&from[..], &["--set", &frozen_key]].concat());
        assert!(number(&metrics, "test_cross_entropy") < 2.4 && number(&metrics, "test_error") < 0.95);
        assert_eq!(encoder(&run) == begun, frozen, "a frozen encoder stays to the bit, another one moves");
        let noisy = gpu_ae(&["eval", run.to_str().unwrap(), "--noise", "gaussian=0.3"]);
        let message = String::from_utf8_lossy(&noisy.stderr).to_string();
        assert!(noisy.status.code() == Some(2) && message.contains("reconstructs nothing"), "{message}");
        assert!(run.join("mistakes.png").exists() && !run.join("reconstructions.png").exists());
        let judged = succeed(&["eval", run.to_str().unwrap(), "--device", "cpu", "--json"]);
        let judged: Value = serde_json::from_str(&judged).unwrap();
        assert_eq!(number(&judged, "test_error"), number(&metrics, "test_error"));
        let out = folder.path().join("compare.png");
        let compared = succeed(&["compare", run.to_str().unwrap(), "--json", "--out", out.to_str().unwrap()]);
        let compared: Value = serde_json::from_str(&compared).unwrap();
        assert_eq!(compared[0]["parameters"], parameters(&run), "{compared}");
    }
}
