//! Early stopping and schedules through the command line: the best epoch is kept and taken, counting goes on after a
//! resume, and a resumed schedule is the one that would have been.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::program::{checkpoint, gpu_ae, small_mnist, succeed};
use gpu_ae::train::Checkpoint;

fn best(run: &Path) -> PathBuf {
    run.join("checkpoint.best.safetensors")
}

fn errors(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}");
    text
}

fn metrics(run: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A run from before there were validation splits, or one that was told to do without: the test data decides, which is said,
/// and rows are what they were.
#[test]
fn a_run_without_a_validation_split_is_judged_by_the_test_data_and_says_so() {
    let data = small_mnist();
    let data = data.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [plain, stopping] = ["plain", "stopping"].map(|name| folder.path().join(name));
    succeed(&arguments(data, plain.to_str().unwrap(), &["--epochs", "2"]));
    let zero = [&STOPPING[..], &["--validation", "0", "--epochs", "2"]].concat();
    let told = errors(&gpu_ae(&arguments(data, stopping.to_str().unwrap(), &zero)));
    assert!(told.contains("warning: early_stopping: without a validation split"), "{told}");
    let [plain, made] = [&plain, &stopping].map(|run| Checkpoint::load(&checkpoint(run)).unwrap());
    assert!(plain.state == made.state, "the same rows give the same bits");
    assert!(metrics(&stopping).iter().all(|epoch| epoch.get("validation_mse").is_none()));
    // What an old checkpoint says is nothing at all of a split.
    for file in [checkpoint, best] {
        let mut old = Checkpoint::load(&file(&stopping)).unwrap();
        old.config.data.validation = None;
        old.replace(&file(&stopping)).unwrap();
    }
    let resumed = gpu_ae(&["train", "--resume", stopping.to_str().unwrap(), "--epochs", "3"]);
    let told = String::from_utf8_lossy(&resumed.stdout).into_owned() + &errors(&resumed);
    assert!(told.contains("warning: early_stopping") && told.contains("best epoch:    3 of 3, test mse"), "{told}");
}

/// A small run whose error falls a few times and then no longer by `min_change`.
fn arguments<'a>(data: &'a str, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let base = ["train", "--recipe", "plain", "--data", "mnist", "--data-dir", data, "--device", "cpu"];
    [&base[..], &["--out", out, "--batch-size", "64"], more].concat()
}

const STOPPING: [&str; 6] = [
    "--set",
    "early_stopping.patience=3",
    "--set",
    "early_stopping.min_change=0.004",
    "--set",
    "early_stopping.term=mse",
];

#[test]
fn a_run_stops_early_and_its_best_epoch_is_used_from_then_on() {
    let data = small_mnist();
    let data = data.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [whole, broken] = ["whole", "broken"].map(|name| folder.path().join(name));
    let stops = [&STOPPING[..], &["--epochs", "60"]].concat();
    let output = gpu_ae(&arguments(data, whole.to_str().unwrap(), &stops));
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &errors(&output);
    assert!(told.contains("stopped early: 3 epochs without a better validation mse"), "{told}");
    assert!(told.contains("270 + 100 images, 30 set aside") && told.contains("best epoch:"), "{told}");
    assert!(!told.contains("warning: early_stopping"), "{told}");

    // By the rule itself, worked out from the metrics: training rows decide, the test data is only reported.
    let epochs = metrics(&whole);
    let errors_of = |epoch: &serde_json::Value| epoch["validation_mse"].as_f64().unwrap();
    let mut expected = (0, f64::INFINITY);
    for (index, epoch) in epochs.iter().enumerate() {
        if expected.1 - errors_of(epoch) > 0.004 {
            expected = (index, errors_of(epoch));
        }
    }
    assert_eq!(epochs.len(), expected.0 + 4, "three epochs after the best one");
    assert!(epochs.len() < 60 && expected.0 > 0);
    let (newest, kept) = (Checkpoint::load(&checkpoint(&whole)).unwrap(), Checkpoint::load(&best(&whole)).unwrap());
    assert_eq!((newest.epoch() as usize, kept.epoch() as usize), (epochs.len(), expected.0 + 1));

    // What was judged is what eval judges, and each command says so once, unless it is to be quiet.
    let run = whole.to_str().unwrap();
    let judged = gpu_ae(&["eval", run, "--json"]);
    assert!(errors(&judged).is_empty());
    let judged: serde_json::Value = serde_json::from_slice(&judged.stdout).unwrap();
    let test_mse = epochs[expected.0]["test_mse"].as_f64().unwrap();
    assert!((judged["test_mse"].as_f64().unwrap() - test_mse).abs() < 1e-9 && test_mse != expected.1, "{judged}");
    assert!(judged["rows"] == 100 && judged.get("validation_mse").is_none(), "{judged}");
    let said = format!("using the best of {} epochs, {}:", epochs.len(), expected.0 + 1);
    for command in ["eval", "reconstruct", "export", "inspect", "compact"] {
        let output = gpu_ae(&[command, run]);
        let told = errors(&output);
        assert!(told.contains(&said), "{command}: {told}");
        // What is decided later is decided by the same rows.
        let result = String::from_utf8_lossy(&output.stdout);
        let decided = result.lines().any(|line| line.starts_with("validation mse") && line.ends_with("% allowed)"));
        assert!(decided == (command == "compact"), "{command}: {result}");
    }
    let exported = std::fs::read(whole.join("encoder.safetensors")).unwrap();
    let exported = safetensors::SafeTensors::deserialize(&exported).unwrap();
    let (name, weights) = exported.tensors().into_iter().find(|(name, _)| name.contains("1.weight")).unwrap();
    let kept_weights = kept.state.iter().find(|(key, _)| key.contains(&name) && !key.contains("adam")).unwrap();
    assert_eq!(weights.data(), &kept_weights.1.1[..]);

    // Resumed half-way it counts on, and ends with the same bits.
    let mut part = STOPPING.to_vec();
    let first = (expected.0 + 2).to_string();
    part.extend(["--epochs", &first]);
    succeed(&arguments(data, broken.to_str().unwrap(), &part));
    let refused = gpu_ae(&["train", "--resume", broken.to_str().unwrap(), "--validation", "0.2"]);
    let message = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(2) && message.contains("was made with --validation 0.1"), "{message}");
    succeed(&["train", "--resume", broken.to_str().unwrap(), "--epochs", "60", "--quiet"]);
    for file in [checkpoint, best] {
        let [a, b] = [&whole, &broken].map(|run| Checkpoint::load(&file(run)).unwrap());
        assert!(a.state == b.state, "a resumed run ended otherwise");
    }

    // A run that is over trains no further until it is to wait longer.
    let again = gpu_ae(&["train", "--resume", run]);
    assert!(errors(&again).contains("early_stopping.patience=N"));
    assert_eq!(metrics(&whole).len(), epochs.len());
    succeed(&["train", "--resume", run, "--set", "early_stopping.patience=4", "--quiet"]);
    assert!(metrics(&whole).len() > epochs.len());
}

#[test]
fn a_schedule_resumed_is_the_one_that_would_have_been() {
    let data = small_mnist();
    let data = data.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let set = |keys: &[&'static str]| -> Vec<&str> { keys.iter().flat_map(|key| ["--set", *key]).collect() };
    let schedules = [
        set(&["lr_schedule.kind=cosine", "lr_schedule.warm_up=1.5", "optimiser.clip=0.5"]),
        set(&["lr_schedule.kind=step", "lr_schedule.every=2", "optimiser.kind=sgd", "optimiser.clip=0.5"]),
    ];
    for (number, keys) in schedules.iter().enumerate() {
        let [whole, other] = ["whole", "other"].map(|name| folder.path().join(format!("{name}{number}")));
        let lr = ["--lr", if number == 0 { "0.002" } else { "0.05" }];
        succeed(&arguments(data, whole.to_str().unwrap(), &[&keys[..], &lr, &["--epochs", "5"]].concat()));
        let rates: Vec<f64> = metrics(&whole).iter().map(|epoch| epoch["learning_rate"].as_f64().unwrap()).collect();
        assert!(rates.windows(2).skip(1).all(|pair| pair[1] <= pair[0]) && rates[4] < rates[1], "{rates:?}");
        // Taken up again at its third epoch: what it had planned for five still holds.
        succeed(&arguments(data, other.to_str().unwrap(), &[&keys[..], &lr, &["--epochs", "5"]].concat()));
        assert!(std::fs::read(checkpoint(&whole)).unwrap() == std::fs::read(checkpoint(&other)).unwrap());
        succeed(&["train", "--resume", other.to_str().unwrap(), "--from-previous", "--quiet"]);
        let [a, b] = [&whole, &other].map(|run| Checkpoint::load(&checkpoint(run)).unwrap());
        assert!(a.state == b.state, "{keys:?}: other bits after a resume");
        // Another number of epochs moves the end of the cosine, and of nothing else.
        succeed(&["train", "--resume", other.to_str().unwrap(), "--epochs", "7", "--quiet"]);
        let last = metrics(&other).last().unwrap()["learning_rate"].as_f64().unwrap();
        assert!(if number == 0 { last > 0.0 && last < rates[1] } else { (last / 0.05 - 1e-3).abs() < 1e-6 }, "{last}");
    }
}

#[test]
fn a_network_trained_by_gradient_descent_is_compacted() {
    let data = small_mnist();
    let data = data.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let run = run.to_str().unwrap();
    let keys = ["--set", "optimiser.kind=sgd", "--lr", "0.5", "--epochs", "3"];
    succeed(&arguments(data, run, &keys));
    succeed(&["compact", run, "--tolerance", "0.1", "--fine-tune", "1"]);
    let smaller = Checkpoint::load(&checkpoint(&Path::new(run).join("compact"))).unwrap();
    let moment = &smaller.state["sgd.u.autoencoder.1.weight"].0;
    assert_eq!(moment, &smaller.state["autoencoder.1.weight"].0);
    let page = std::fs::read_to_string(Path::new(run).join("compact/report.html")).unwrap();
    assert!(page.contains("sgd") && page.contains("data:image/png;base64,"), "a page of its own");
    assert!(!smaller.state.keys().any(|name| name.starts_with("adam")));
}

#[test]
fn settings_without_meaning_are_refused_by_name() {
    let cases = [
        ("early_stopping.term=elbo", "expected one of loss, mse, entropy"),
        ("early_stopping.patience=0", "early_stopping.patience 0"),
        ("early_stopping.patient=3", "patient"),
        ("optimiser.kind=lion", "optimiser.kind=lion"),
        ("optimiser.clip=-1", "optimiser.clip -1"),
        ("lr_schedule.warm_up=99", "lr_schedule.warm_up 99"),
    ];
    for (key, named) in cases {
        let output = gpu_ae(&["train", "--set", key]);
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && message.contains(named), "{key}: {message}");
    }
}
