//! Images changed at random: while training alone, otherwise at every step, and the same again whenever a run goes on.

use crate::common;
use crate::ways::{ROWS, Way, changed, data, session};
use gpu_ae::data::ValueKind;
use gpu_ae::device::wait;
use gpu_ae::graph::{Feeds, Graph, Role, interpret};
use gpu_ae::model::graph::{DataShape, answers, evaluation, moments, reconstruction, training};
use gpu_ae::ops::step::clock;
use gpu_ae::tensor::{HostTensor, Ty};

/// What is drawn depends on the step alone, so a run that goes on draws what one that never stopped would have.
#[test]
fn a_run_on_changed_images_goes_on_to_the_same_bits() {
    let (config, data) = (changed(), data(ValueKind::Byte, 12));
    for number in 0..common::devices().len() {
        let device = || common::devices().swap_remove(number);
        let mut whole = session(device(), &config, &data, Way::AtOnce);
        wait(whole.initialise(ROWS, None)).unwrap();
        whole.train(50).unwrap();
        let mut first = session(device(), &config, &data, Way::AtOnce);
        wait(first.initialise(ROWS, None)).unwrap();
        first.train(17).unwrap();
        let state = wait(first.state()).unwrap();
        let mut second = session(device(), &config, &data, Way::AtOnce);
        wait(second.restore(&state)).unwrap();
        second.train(33).unwrap();
        assert!(wait(whole.state()).unwrap() == wait(second.state()).unwrap(), "{}", whole.device_name());
    }
}

/// Nothing that is judged or looked at is changed, and what is drawn differs from view to view and from step to step.
#[test]
fn images_are_changed_while_training_alone() {
    let (config, shape) = (changed(), DataShape { rows: 60, features: 12, kind: ValueKind::Byte });
    let changes = |graph: &Graph| graph.nodes().iter().filter(|node| node.op.name().starts_with("augment")).count();
    assert_eq!(changes(&training(&config, shape).unwrap()), 3);
    assert_eq!(changes(&moments(&config, shape, 20).unwrap().unwrap().0), 3, "as running averages see them");
    for graph in
        [evaluation(&config, "test", shape, 20), answers(&config, shape, 20), reconstruction(&config, shape, 20)]
    {
        assert_eq!(changes(&graph.unwrap()), 0);
    }
    let mut off = config.clone();
    let keys = ["augment.flip", "augment.rotate", "augment.shift", "augment.hue", "augment.grey"];
    off.set_all("test", &keys.map(|key| (key, "0"))).unwrap();
    assert_eq!(changes(&training(&off, shape).unwrap()), 0);

    let mut g = Graph::new();
    let clock = g.source(Role::State, "clock", clock::ty());
    let x = g.source(Role::Input, "x", Ty::f32(&[8, 12]));
    for view in 0..2 {
        let y = config.augmented(&mut g, x, clock, view).unwrap();
        g.result(format!("view {view}"), y);
    }
    let mut seen: Vec<Vec<f64>> = Vec::new();
    for step in [3, 4] {
        let mut words = clock::start(8, 8, false, 1);
        words[clock::STEP] = step;
        let values: Vec<f32> = (0..96).map(|n| (n % 12) as f32 / 12.0).collect();
        let mut feeds = Feeds::from([
            ("clock".to_string(), HostTensor::from_words(&[clock::WORDS], &words)),
            ("x".to_string(), HostTensor::from_f32(&[8, 12], &values)),
            ("black".to_string(), HostTensor::from_f32(&[3], &[0.0; 3])),
        ]);
        let values = interpret(&g, &mut feeds).unwrap();
        seen.extend(g.results().iter().map(|(_, var)| values.get(*var).real().to_vec()));
    }
    for (number, one) in seen.iter().enumerate() {
        assert!(seen[..number].iter().all(|other| other != one), "two of four are the same");
        assert!(one.chunks_exact(12).any(|row| row != &one[..12]), "all images are changed alike");
    }
}
