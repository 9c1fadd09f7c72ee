//! Codes that are learnt without labels, from two views of each row: `--model simclr`.

use std::path::Path;

use crate::program::{gpu_ae, small_mnist, succeed};
use serde_json::Value;

/// A network of two layers for 28 × 28 pixels, in the place of the model's own, which takes its time.
const SMALL: [&str; 10] = [
    "--set",
    "encoder=[{ linear = 64, activation = 'relu' }, { linear = 16 }]",
    "--set",
    "decoder=[{ linear = 16 }]",
    "--set",
    "augment.image=\"28x28x1\"",
    "--batch-size",
    "32",
    "--lr",
    "0.003",
];

fn train(data: &Path, out: &Path, more: &[&str]) -> Value {
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let fixed = ["train", "--model", "simclr", "--data", "mnist", "--data-dir", data, "--device", "cpu", "--json"];
    serde_json::from_str(&succeed(&[&fixed[..], &["--out", out], &SMALL, more].concat())).unwrap()
}

fn first(run: &Path) -> Value {
    let lines = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    serde_json::from_str(lines.lines().next().unwrap()).unwrap()
}

fn number(metrics: &Value, key: &str) -> f64 {
    metrics[key].as_f64().unwrap_or_else(|| panic!("no {key} in {metrics}"))
}

#[test]
fn views_find_each_other_and_their_codes_know_more_than_untrained_ones() {
    let (data, folder) = (small_mnist(), tempfile::tempdir().unwrap());
    let run = folder.path().join("views");
    // Views of few rows that are not too hard to tell.
    let mild = ["--set", "augment.resized_crop=0.5", "--set", "augment.jitter=0"];
    let metrics = train(data.path(), &run, &[&mild[..], &["--epochs", "30"]].concat());
    let before = first(&run);
    for key in ["test_nt_xent", "test_missed"] {
        assert!(number(&metrics, key) < number(&before, key), "{key}: {before} then {metrics}");
    }
    let path = run.to_str().unwrap();
    let judged: Value = serde_json::from_str(&succeed(&["eval", path, "--device", "cpu", "--json"])).unwrap();
    assert_eq!(number(&judged, "test_nt_xent"), number(&metrics, "test_nt_xent"), "judged by the same views");
    let probed: Value = serde_json::from_str(&succeed(&["probe", path, "--device", "cpu", "--json"])).unwrap();
    let accuracy = |place: usize| number(&probed["representations"][place], "linear_accuracy");
    assert!(accuracy(0) > accuracy(1) && accuracy(0) > 0.5, "{probed}");
    for name in ["augmented.png", "codes.png", "loss.png"] {
        assert!(run.join(name).is_file(), "{name}");
    }
    let message = gpu_ae(&["reconstruct", path, "--device", "cpu"]);
    assert!(String::from_utf8_lossy(&message.stderr).contains("this one compares views of rows"));
}

#[test]
fn a_batch_in_parts_goes_on_where_it_stopped_and_its_codes_may_be_bits() {
    let (data, folder) = (small_mnist(), tempfile::tempdir().unwrap());
    let more = ["--set", "optimiser.accumulate=4", "--set", "rate.beta=0.05", "--set", "rate.quantise=noise"];
    let [whole, stopped] = ["whole", "stopped"].map(|name| folder.path().join(name));
    let metrics = train(data.path(), &whole, &[&more[..], &["--epochs", "4"]].concat());
    assert!(number(&metrics, "test_bits_per_dim") > 0.0 && number(&metrics, "test_nonzero") > 0.0);
    train(data.path(), &stopped, &[&more[..], &["--epochs", "2", "--set", "lr_schedule.every=3.2"]].concat());
    let path = stopped.to_str().unwrap();
    succeed(&["train", "--resume", path, "--epochs", "4", "--quiet"]);
    let [whole, stopped] = [&whole, &stopped].map(|run| std::fs::read_to_string(run.join("metrics.jsonl")).unwrap());
    let last = |text: &str| number(&serde_json::from_str(text.lines().last().unwrap()).unwrap(), "test_loss");
    assert_eq!(last(&whole), last(&stopped), "the same bits as without a stop");
    let codes = folder.path().join("codes.gae");
    succeed(&["compress", path, "--device", "cpu", "--out", codes.to_str().unwrap()]);
}

#[test]
fn noise_makes_views_of_rows_of_a_table_and_sameness_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("table.csv");
    let row = |row: usize| {
        let class = row % 2;
        let values =
            (0..6).map(|column| format!("{:.3}", ((row * 37 + column * 11) % 19) as f64 / 19.0 + class as f64));
        format!("{},{}\n", values.collect::<Vec<_>>().join(","), ["left", "right"][class])
    };
    let text: String = std::iter::once("a,b,c,d,e,f,side\n".to_string()).chain((0..80).map(row)).collect();
    std::fs::write(&table, text).unwrap();
    let (table, out) = (table.to_str().unwrap(), folder.path().join("run"));
    let fixed = [
        "train", "--model", "simclr", "--data", table, "--label", "side", "--device", "cpu", "--quiet", "--epochs", "2",
    ];
    let network =
        ["--set", "encoder=[{ linear = 8, activation = 'relu' }, { linear = 4 }]", "--set", "decoder=[{ linear = 4 }]"];
    let still = ["resized_crop", "flip", "jitter"].map(|key| format!("augment.{key}=0"));
    let still: Vec<&str> = still.iter().flat_map(|key| ["--set", key]).collect();
    let out = ["--out", out.to_str().unwrap()];
    let refused = |more: &[&str]| {
        let output = gpu_ae(&[&fixed[..], &network, more, &out].concat());
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let message = refused(&[]);
    assert!(message.contains("augment: expected images"), "{message}");
    let message = refused(&still);
    assert!(message.contains("contrastive: expected something under [augment]"), "{message}");
    let noise = ["--set", "corruption={ kind = 'masking', amount = 0.4 }"];
    succeed(&[&fixed[..], &network, &still, &noise, &out].concat());
}
