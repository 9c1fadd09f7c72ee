//! A running mean of the weights: what is judged and used is the mean, what is trained is not, and both are kept.

use std::path::Path;
use std::sync::atomic::Ordering;

use gpu_ae::config::RunConfig;
use gpu_ae::data::{self, Dataset};
use gpu_ae::device::{CpuDevice, wait};
use gpu_ae::train::{Checkpoint, Interrupt, Run, RunDir, Session, Tuning};

/// A network with batch norms, one with tied weights, and one whose batches go through it in parts, with draws.
const NETWORKS: &[(&str, &[(&str, &str)])] = &[
    (
        "batch norm",
        &[
            ("encoder", "[{ linear = 24 }, { norm = \"batch\" }, { activation = \"relu\" }, { linear = 8 }]"),
            ("decoder", "[{ linear = 784, activation = \"sigmoid\" }]"),
        ],
    ),
    (
        "tied",
        &[
            ("encoder", "[{ linear = 24, activation = \"relu\" }, { linear = 8 }]"),
            ("decoder", "[{ linear = 24, activation = \"relu\" }, { linear = 784, activation = \"sigmoid\" }]"),
            ("tied", "true"),
            ("optimiser.kind", "lars"),
            ("optimiser.trust", "0.1"),
            ("optimiser.weight_decay", "0.01"),
        ],
    ),
    (
        "in parts",
        &[
            ("encoder", "[{ linear = 24, activation = \"relu\" }, { dropout = 0.2 }, { linear = 8 }]"),
            ("decoder", "[{ linear = 784, activation = \"sigmoid\" }]"),
            ("corruption", "{ kind = \"gaussian\", amount = 0.3 }"),
            ("optimiser.accumulate", "5"),
            ("optimiser.kind", "sgd"),
            ("optimiser.nesterov", "true"),
        ],
    ),
];

fn config(network: &[(&str, &str)]) -> RunConfig {
    let mut config = RunConfig { batch_size: 50, epochs: 2, lr: 1e-2, ..RunConfig::recipe("plain").unwrap() };
    config.entropy.layers.clear();
    config.set_all("--set", network).unwrap();
    config.set("--set", "optimiser.average", "0.9").unwrap();
    config.check().unwrap();
    config
}

fn digits() -> Dataset {
    data::set::digits::dataset(3, 620, 100).unwrap()
}

fn started(config: &RunConfig, folder: &Path, data: &Dataset) -> Run {
    let (device, folder) = (Box::new(CpuDevice::new()), RunDir::create(folder).unwrap());
    let tuning = Tuning::fixed(device.as_ref());
    Run::start(config.clone(), folder, device, data, tuning, None, &mut |_, _| ()).unwrap()
}

fn newest(folder: &Path) -> Checkpoint {
    Checkpoint::load(&RunDir::open(folder).unwrap().checkpoint()).unwrap()
}

fn judging(checkpoint: &Checkpoint, data: &Dataset) -> f64 {
    let device = Box::new(CpuDevice::new());
    let choices = Tuning::or_static(None, device.as_ref());
    let mut session = Session::for_evaluation(device, &checkpoint.config, data, &choices).unwrap();
    wait(session.restore(&checkpoint.state)).unwrap();
    wait(session.evaluate()).unwrap().mean("mse").unwrap()
}

#[test]
fn what_is_judged_is_the_mean_and_whoever_reads_a_checkpoint_gets_it() {
    let data = digits();
    for (label, network) in NETWORKS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let mut run = started(&config(network), &path, &data);
        run.train(|_| ()).unwrap();
        let told = run.metrics().last().unwrap().figures["test_mse"];
        let kept = newest(&path);
        let judged = kept.clone().judged().unwrap();
        assert_eq!(judging(&judged, &data), told, "{label}");
        assert!(judged.config.optimiser.average.is_none());
        assert!(!judged.state.keys().any(|name| name.starts_with("average.")), "{label}");
        for (name, mean) in kept.state.iter().filter_map(|(name, mean)| Some((name.strip_prefix("average.")?, mean))) {
            assert_ne!(mean, &kept.state[name], "{label}: {name} is its mean");
            assert_eq!(mean, &judged.state[name], "{label}: {name}");
        }
        let mut raw = Checkpoint { state: kept.state.clone(), ..judged.clone() };
        raw.state.retain(|name, _| !name.starts_with("average."));
        assert_ne!(judging(&raw, &data), told, "{label}: weights and means do the same");

        // What stands for a batch's moments is that of the network with the means.
        let (device, choices) = (Box::new(CpuDevice::new()), Tuning::fixed(&CpuDevice::new()).choices);
        let mut session = wait(Session::for_training(device, &judged.config, &data, &choices, &mut |_, _| ())).unwrap();
        wait(session.restore(&judged.state)).unwrap();
        wait(session.settle_moments()).unwrap();
        assert!(wait(session.state()).unwrap() == judged.state, "{label}");

        // Pictures and what else comes after training are of the means; what is kept stays what it was.
        run.take_best().unwrap();
        assert_eq!(wait(run.session().evaluate()).unwrap().mean("mse").unwrap(), told, "{label}");
        assert!(
            wait(run.session().state()).unwrap() == kept.state
                && wait(run.session().judged_state()).unwrap() == judged.state
        );
    }
}

#[test]
fn a_run_that_is_resumed_is_the_same_to_the_bit() {
    let (folder, data) = (tempfile::tempdir().unwrap(), digits());
    for (label, network) in NETWORKS {
        let config = config(network);
        let [whole, broken] = ["whole", "broken"].map(|name| folder.path().join(format!("{label} {name}")));
        let mut run = started(&config, &whole, &data);
        run.train(|_| ()).unwrap();

        let mut run = started(&config, &broken, &data);
        let interrupt = Interrupt::default();
        run.end_on(interrupt.clone());
        // As soon as anything is told, which is within the first epoch.
        run.train(|_| interrupt.flag().store(2, Ordering::Relaxed)).unwrap_err();
        drop(run);
        let checkpoint = newest(&broken);
        let epoch = checkpoint.epoch();
        let device = Box::new(CpuDevice::new());
        let tuning = Tuning::fixed(device.as_ref());
        let claimed = RunDir::claim(&broken).unwrap();
        let mut run = Run::resume(config, checkpoint, claimed, device, &data, tuning, &mut |_, _| ()).unwrap();
        run.train(|_| ()).unwrap();
        assert!(epoch < 2 && newest(&whole).state == newest(&broken).state, "{label}");
    }
}
