//! Compaction of networks of images: channels go, and what is written does what was judged.

use std::path::Path;

use super::session;
use crate::program::{gpu_ae, small_mnist, succeed, train};
use gpu_ae::data::Dataset;
use gpu_ae::device::wait;
use gpu_ae::study::compact::compact;
use gpu_ae::train::{Checkpoint, RunDir};
use serde_json::{Value, json as value};

/// Narrow networks, so that few channels are judged.
const NARROW: &[&str] = &[
    "--set",
    "encoder=[{unflatten='28x28x1'},{conv=5,kernel=3,stride=2,padding=1,bias=false},{norm='batch'},{activation='relu'},\
     {conv=6,kernel=3,stride=2,padding=1,activation='relu'},{flatten=true},{linear=8}]",
    "--set",
    "decoder=[{linear=196,activation='relu'},{unflatten='7x7x4'},\
     {conv_transpose=4,kernel=4,stride=2,padding=1,activation='relu'},{conv_transpose=1,kernel=4,stride=2,padding=1},\
     {flatten=true},{activation='sigmoid'}]",
];

fn trained(data: &Path, run: &Path, more: &[&str]) {
    let fixed = ["--device", "cpu", "--batch-size", "32", "--lr", "0.005", "--quiet"];
    let made = train(data, run, &[&fixed[..], more].concat());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&succeed(arguments)).unwrap()
}

fn error(checkpoint: &Checkpoint, data: &Dataset) -> f64 {
    wait(session(checkpoint, data).evaluate()).unwrap().mean("mse").unwrap()
}

/// The last maps are what the code is computed of, and images have theirs whoever goes beside them.
fn maps_are_those_that_become_codes(checkpoint: &Checkpoint, data: &Dataset) {
    let mut session = session(checkpoint, data);
    let images = data.test.values(0..3);
    let maps = session.maps(&images).unwrap();
    assert_eq!(maps.iter().map(|maps| maps.shape).collect::<Vec<_>>(), [[14, 14, 5], [7, 7, 6]]);
    for (number, image) in images.chunks_exact(784).enumerate() {
        for (together, alone) in maps.iter().zip(session.maps(image).unwrap()) {
            let size = alone.values.len();
            assert_eq!(together.values[number * size..][..size], alone.values);
        }
    }
    let layer = &checkpoint.wiring().unwrap()[2].name;
    let floats =
        |part: &str| -> Vec<f32> { bytemuck::pod_collect_to_vec(&checkpoint.state[&format!("{layer}.{part}")].1) };
    let (weights, biases, codes) = (floats("weight"), floats("bias"), wait(session.encode(&images)).unwrap());
    for (map, code) in maps[1].values.chunks_exact(294).zip(codes.chunks_exact(8)) {
        for ((row, bias), code) in weights.chunks_exact(294).zip(&biases).zip(code) {
            let due = bias + row.iter().zip(map).map(|(w, x)| w * x).sum::<f32>();
            assert!((due - code).abs() < 1e-4, "{due} {code}");
        }
    }
}

#[test]
fn channels_go_and_every_command_takes_what_is_left() {
    let (data, folder) = (small_mnist(), tempfile::tempdir().unwrap());
    let run = folder.path().join("run");
    let name = run.to_str().unwrap();
    trained(data.path(), &run, &[&["--model", "conv", "--epochs", "4"], NARROW].concat());

    // What is judged is the larger network with units held, what is written the smaller one.
    let checkpoint = Checkpoint::load(&RunDir::open(&run).unwrap().checkpoint()).unwrap();
    let rows = checkpoint.config.load_data_as(checkpoint.encoding.as_ref()).unwrap();
    maps_are_those_that_become_codes(&checkpoint, &rows);
    assert!(run.join("feature_maps.png").exists());
    for tolerance in [0.0, 0.05, 1e6] {
        let outcome = compact(&mut session(&checkpoint, &rows), &checkpoint, tolerance, |_| ()).unwrap();
        let after = error(&outcome.checkpoint, &rows);
        assert!((after / outcome.error_after - 1.0).abs() < 1e-5, "{after}, judged {}", outcome.error_after);
        assert!(after <= outcome.error_before * (1.0 + tolerance) * (1.0 + 1e-6), "{tolerance}: {after}");
        assert!(outcome.bound.is_empty(), "{:?}", outcome.bound);
        let outputs: Vec<usize> = outcome.checkpoint.wiring().unwrap().iter().map(|layer| layer.outputs).collect();
        if tolerance > 1.0 {
            assert_eq!(outputs, [1, 1, 1, 49, 1, 1], "every layer keeps a unit");
        }
    }

    let outcome = json(&["compact", name, "--tolerance", "0.1", "--json"]);
    let smaller = run.join("compact");
    let path = smaller.to_str().unwrap();
    let [before, after] = ["test_mse_before", "test_mse_after"].map(|key| outcome[key].as_f64().unwrap());
    assert!(after <= 1.1 * before, "{before} {after}");
    assert_eq!(json(&["eval", path, "--json"])["test_mse"].as_f64().unwrap(), after);
    let sum = |key: &str| -> u64 {
        outcome["layers"].as_array().unwrap().iter().map(|layer| layer[key].as_u64().unwrap()).sum()
    };
    for key in ["parameters_before", "parameters_after"] {
        assert_eq!(outcome[key], value!(sum(key)), "{outcome}");
    }
    assert!(outcome["parameters_after"].as_u64() < outcome["parameters_before"].as_u64(), "nothing went: {outcome}");
    let inspected = json(&["inspect", path, "--json"]);
    let widths = |layers: &Value, key: &str| -> Vec<Value> {
        layers.as_array().unwrap().iter().map(|layer| layer[key].clone()).collect()
    };
    assert_eq!(widths(&inspected, "outputs"), widths(&outcome["layers"], "width_after"));
    assert_eq!(inspected[0]["extents"].as_array().unwrap().len(), 4);
    assert!(inspected[2]["active_units"].is_number() && inspected[0]["effective_width"].is_null(), "{inspected}");
    let table = succeed(&["inspect", path]);
    assert!(table.contains("encoder.2") && table.contains("x1x3x3"), "{table}");
    succeed(&["export", path]);
    succeed(&["reconstruct", path]);
    succeed(&["train", "--resume", path, "--epochs", "5", "--quiet"]);
    let tuned = folder.path().join("tuned");
    let flags = ["compact", name, "--tolerance", "0.2", "--fine-tune", "2", "--json", "--out", tuned.to_str().unwrap()];
    assert!(json(&flags)["test_mse_fine_tuned"].is_number());
    succeed(&["train", "--resume", tuned.to_str().unwrap(), "--epochs", "8", "--quiet"]);
}

/// Of a classifier the cross entropy decides, and what a sum shares stays.
#[test]
fn a_residual_classifier_loses_the_channels_within_its_branches() {
    let (data, folder) = (small_mnist(), tempfile::tempdir().unwrap());
    let run = folder.path().join("run");
    let name = run.to_str().unwrap();
    let encoder = "encoder=[{unflatten='28x28x1'},{conv=4,kernel=3,stride=4,bias=false},{norm='batch'},{activation='relu'},\
                   {residual=[{conv=6,kernel=3,padding=1,bias=false},{norm='batch'},{activation='relu'},\
                   {conv=4,kernel=3,padding=1,bias=false},{norm='batch'}]},{activation='relu'},{pool='global'}]";
    let more = ["--model", "resnet", "--epochs", "3", "--set", encoder, "--set", "decoder=[{linear=10}]"];
    trained(data.path(), &run, &more);
    let outcome = json(&["compact", name, "--tolerance", "0.2", "--json"]);
    let path = run.join("compact");
    let [before, after] =
        ["before", "after"].map(|when| outcome[format!("test_cross_entropy_{when}")].as_f64().unwrap());
    assert!(after <= 1.2 * before, "{outcome}");
    let judged = json(&["eval", path.to_str().unwrap(), "--json"]);
    assert_eq!(judged["test_cross_entropy"].as_f64().unwrap(), after);
    let widths: Vec<u64> =
        outcome["layers"].as_array().unwrap().iter().map(|layer| layer["width_after"].as_u64().unwrap()).collect();
    assert!(widths[0] == 4 && widths[1] < 6 && widths[2..] == [4, 10], "{outcome}");
    let kept = outcome["kept"].to_string();
    assert!(kept.contains("encoder.2 keeps its units: the sum of encoder.5 shares them"), "{kept}");
    succeed(&["train", "--resume", path.to_str().unwrap(), "--epochs", "4", "--quiet"]);
    let table = succeed(&["inspect", path.to_str().unwrap()]);
    assert!(table.contains("encoder.5.residual.4"), "{table}");
}

#[test]
fn what_cannot_become_smaller_is_refused_by_its_blocks() {
    let (data, folder) = (small_mnist(), tempfile::tempdir().unwrap());
    let run = folder.path().join("run");
    let encoder =
        "encoder=[{unflatten='28x28x1'},{conv=4,kernel=4,stride=4},{norm='group',groups=2},{conv=4,kernel=3,groups=4}]";
    let decoder = "decoder=[{flatten=true},{linear=784}]";
    trained(data.path(), &run, &["--model", "conv", "--epochs", "1", "--set", encoder, "--set", decoder]);
    let output = gpu_ae(&["compact", run.to_str().unwrap()]);
    let message = String::from_utf8_lossy(&output.stderr).to_string();
    assert_eq!(output.status.code(), Some(2), "{message}");
    for why in [
        "encoder.2 keeps its units: encoder.3, a norm of 2 groups, mixes them",
        "encoder.4 keeps its units: it works in 4",
    ] {
        assert!(message.contains(why), "{message}");
    }
    assert!(!run.join("compact").exists());
    succeed(&["inspect", run.to_str().unwrap()]);
}
