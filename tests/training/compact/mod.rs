//! Compaction: what carries nothing goes, what is left computes the same.

mod images;

use std::path::Path;
use std::sync::LazyLock;

use crate::program::{gpu_ae, small_mnist, succeed, train};
use gpu_ae::config::RunConfig;
use gpu_ae::data::{self, Dataset};
use gpu_ae::device::{CpuDevice, wait};
use gpu_ae::nn::BlockConfig;
use gpu_ae::ops::array::activation::Activation::{Relu, Sigmoid};
use gpu_ae::study::compact::{Progress, compact};
use gpu_ae::train::{Checkpoint, Run, RunDir, Session, Tuning};
use serde_json::Value;

/// A network of 784-24-10-24-784, trained for a few epochs, once for all tests: its checkpoint and data.
static TRAINED: LazyLock<(Checkpoint, Dataset)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let data = data::set::digits::dataset(3, 6000, 200).unwrap();
    let mut config = RunConfig::recipe("plain").unwrap();
    (config.epochs, config.batch_size, config.lr) = (20, 64, 3e-3);
    let layer = BlockConfig::linear;
    config.set_layers(&[layer(24, Relu), layer(10, Relu), layer(24, Relu), layer(784, Sigmoid)], 2);
    config.entropy.layers = vec![2];
    let directory = folder.path().join("run");
    let device = Box::new(CpuDevice::new());
    let tuning = Tuning::fixed(device.as_ref());
    let mut run =
        Run::start(config, RunDir::create(&directory).unwrap(), device, &data, tuning, None, &mut |_, _| ()).unwrap();
    run.train(|_| ()).unwrap();
    (Checkpoint::load(&RunDir::open(&directory).unwrap().checkpoint()).unwrap(), data)
});

/// A session that judges what a checkpoint holds, on the processor.
pub fn session(checkpoint: &Checkpoint, data: &Dataset) -> Session {
    let device = Box::new(CpuDevice::new());
    let choices = Tuning::or_static(None, device.as_ref());
    let mut session = Session::for_evaluation(device, &checkpoint.config, data, &choices).unwrap();
    wait(session.restore(&checkpoint.state)).unwrap();
    session
}

fn edit(checkpoint: &mut Checkpoint, name: &str, change: impl FnOnce(&mut [f32])) {
    let (_, bytes) = checkpoint.state.get_mut(name).unwrap();
    let mut values: Vec<f32> = bytemuck::pod_collect_to_vec(bytes);
    change(&mut values);
    *bytes = bytemuck::cast_slice(&values).to_vec();
}

#[test]
fn dead_and_constant_neurons_go_and_nothing_changes() {
    let (mut checkpoint, data) = (TRAINED.0.clone(), &TRAINED.1);
    // Layer 1: nobody reads neurons 2 and 7. Layer 3: neuron 4 is always 0.6.
    edit(&mut checkpoint, "autoencoder.3.weight", |w| {
        w.chunks_exact_mut(24).for_each(|row| (row[2], row[7]) = (0.0, 0.0));
    });
    edit(&mut checkpoint, "autoencoder.5.weight", |w| w[4 * 10..5 * 10].fill(0.0));
    edit(&mut checkpoint, "autoencoder.5.bias", |b| b[4] = 0.6);
    let mut session_before = session(&checkpoint, data);
    let before = wait(session_before.evaluate()).unwrap().mean("mse").unwrap();
    let mut told = Vec::new();
    // The error is a mean in f32: that of a network which does the same may differ by some of its last bits, on processors
    // with narrower vectors by others.
    let outcome = compact(&mut session_before, &checkpoint, 1e-6, |progress| told.push(progress)).unwrap();
    let judged = (1..=58).map(|done| Progress::Judged { done, all: 58 });
    // What halving has found to be free is not tried again; every layer keeps a neuron at least.
    let all = told.len() - 58;
    assert!((1..55).contains(&all), "{all} were tried");
    assert_eq!(told, judged.chain((1..=all).map(|done| Progress::Tried { done, all })).collect::<Vec<_>>());
    for neuron in [(1, 2), (1, 7), (3, 4)] {
        assert!(outcome.removed.contains(&neuron), "{neuron:?} is not among {:?}", outcome.removed);
    }
    // What a ReLU never lets through on any test row may go too; nothing else may.
    for (neuron, effect) in &outcome.effects {
        assert!(!outcome.removed.contains(neuron) || *effect < 1e-6, "{neuron:?} mattered: {effect}");
    }
    let smaller = &outcome.checkpoint;
    let widths: Vec<usize> = smaller.config.layers().iter().map(|layer| layer.linear).collect();
    let left = |number: usize, width: usize| width - outcome.removed.iter().filter(|(l, _)| *l == number).count();
    assert_eq!(widths, [left(1, 24), left(2, 10), left(3, 24), 784]);
    let after = wait(session(smaller, data).evaluate()).unwrap().mean("mse").unwrap();
    assert!(after / before - 1.0 < 1e-5, "{before} before, {after} after");
    assert!(
        (wait(session_before.evaluate()).unwrap().mean("mse").unwrap() - before).abs() < 1e-12,
        "the session holds something else now"
    );
    let rows = |name: &str| smaller.state[name].0.shape.dims().to_vec();
    assert_eq!(rows("autoencoder.1.weight"), [widths[0], 784]);
    assert_eq!(rows("adam.v.autoencoder.3.weight"), [widths[1], widths[0]]);
    assert_eq!(rows("adam.m.autoencoder.5.bias"), [widths[2]]);
}

#[test]
fn a_larger_tolerance_removes_more_and_is_kept() {
    let (checkpoint, data) = &*TRAINED;
    let before = wait(session(checkpoint, data).evaluate()).unwrap().mean("mse").unwrap();
    assert!(before < 0.85 * data.mean_row_error(), "nothing was learnt: {before}");
    let mut removed = Vec::new();
    for tolerance in [0.0, 0.05, 0.3] {
        let outcome = compact(&mut session(checkpoint, data), checkpoint, tolerance, |_| ()).unwrap();
        let after = wait(session(&outcome.checkpoint, data).evaluate()).unwrap().mean("mse").unwrap();
        assert!(after <= outcome.error_before * (1.0 + tolerance) * (1.0 + 1e-6), "{tolerance}: {after}");
        removed.push(outcome.removed.len());
    }
    assert!(removed[0] < removed[2] && removed[0] <= removed[1] && removed[1] <= removed[2], "{removed:?}");
    // Every layer keeps a neuron, whatever the tolerance.
    let outcome = compact(&mut session(checkpoint, data), checkpoint, 1e6, |_| ()).unwrap();
    let widths: Vec<usize> = outcome.checkpoint.config.layers().iter().map(|layer| layer.linear).collect();
    assert_eq!(widths, [1, 1, 1, 784]);
}

fn mse(run: &Path, data: &Path) -> f64 {
    let data = data.to_str().unwrap();
    let text = succeed(&["eval", run.to_str().unwrap(), "--data-dir", data, "--json"]);
    serde_json::from_str::<Value>(&text).unwrap()["test_mse"].as_f64().unwrap()
}

#[test]
fn the_command_leaves_a_run_that_every_command_takes() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let name = run.to_str().unwrap();
    let made = train(data.path(), &run, &["--epochs", "6", "--device", "cpu", "--batch-size", "32", "--lr", "0.005"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = succeed(&["compact", name, "--tolerance", "0.02", "--json"]);
    let outcome: Value = serde_json::from_str(&text).unwrap();
    let smaller = run.join("compact");
    let [before, after] = ["test_mse_before", "test_mse_after"].map(|key| outcome[key].as_f64().unwrap());
    assert!((mse(&run, data.path()) - before).abs() < 1e-9 && (mse(&smaller, data.path()) - after).abs() < 1e-9);
    assert!(after <= 1.02 * before, "{before} {after}");
    assert!(outcome["parameters_after"].as_u64().unwrap() < outcome["parameters_before"].as_u64().unwrap());
    succeed(&["export", smaller.to_str().unwrap()]);
    // Its figures are its own, not those of the network that it was made of.
    let inspected: Value = serde_json::from_str(&succeed(&["inspect", smaller.to_str().unwrap(), "--json"])).unwrap();
    let text = std::fs::read_to_string(smaller.join("metrics.jsonl")).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert!((last["test_mse"].as_f64().unwrap() - after).abs() < 1e-9, "{last} after {after}");
    for (number, layer) in inspected.as_array().unwrap()[..5].iter().enumerate() {
        let active = layer["active_units"].as_f64().unwrap();
        assert!(active <= layer["outputs"].as_f64().unwrap(), "{layer}");
        assert_eq!(last[format!("active_units_{}", number + 1)], active);
    }
    succeed(&["reconstruct", smaller.to_str().unwrap()]);
    succeed(&["train", "--resume", smaller.to_str().unwrap(), "--epochs", "7", "--quiet"]);

    let again = gpu_ae(&["compact", name]);
    let message = String::from_utf8_lossy(&again.stderr).to_string();
    assert!(again.status.code() == Some(2) && message.contains("compact"), "{message}");
    let tuned = folder.path().join("tuned");
    let flags = ["compact", name, "--tolerance", "0.1", "--fine-tune", "3", "--json", "--out", tuned.to_str().unwrap()];
    let outcome: Value = serde_json::from_str(&succeed(&flags)).unwrap();
    let fine_tuned = outcome["test_mse_fine_tuned"].as_f64().unwrap();
    assert!((mse(&tuned, data.path()) - fine_tuned).abs() < 1e-9);
    assert!(fine_tuned < outcome["test_mse_after"].as_f64().unwrap(), "training further did not help: {outcome}");
    for wrong in ["-0.1", "nan"] {
        let refused = gpu_ae(&["compact", name, "--tolerance", wrong, "--out", "unused"]);
        let message = String::from_utf8_lossy(&refused.stderr).to_string();
        assert!(refused.status.code() == Some(2) && message.contains("--tolerance"), "{message}");
    }
}
