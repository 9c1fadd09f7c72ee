//! A session as a page has it: what may change while it trains, neurons held for a look, a checkpoint as bytes.

use gpu_ae::config::RunConfig;
use gpu_ae::data::{self, Dataset};
use gpu_ae::device::{CpuDevice, wait};
use gpu_ae::train::epoch::Epoch;
use gpu_ae::train::{Checkpoint, Session, TermSums, Tuning};

fn config() -> RunConfig {
    RunConfig { batch_size: 50, ..RunConfig::recipe("report").unwrap() }
}

fn digits() -> Dataset {
    data::set::digits::dataset(3, 600, 100).unwrap()
}

fn begun(config: &RunConfig, data: &Dataset) -> Session {
    let device = Box::new(CpuDevice::new());
    let choices = Tuning::fixed(device.as_ref()).choices;
    let mut session = wait(Session::for_training(device, config, data, &choices, &mut |_, _| ())).unwrap();
    wait(session.initialise(data.train.rows, None)).unwrap();
    session
}

#[test]
fn a_session_that_is_adjusted_trains_as_one_that_began_so() {
    let data = digits();
    let other = RunConfig { lr: 4e-3, lambda_entropy: 0.05, ..config() };
    let mut adjusted = begun(&config(), &data);
    adjusted.adjust(other.lr, other.lambda_entropy).unwrap();
    let (mut asked, mut plain) = (begun(&other, &data), begun(&config(), &data));
    for session in [&mut adjusted, &mut asked, &mut plain] {
        session.train(5).unwrap();
    }
    let [adjusted_state, asked, plain] =
        [&mut adjusted, &mut asked, &mut plain].map(|session| wait(session.state()).unwrap());
    assert!(adjusted_state == asked && adjusted_state != plain);
    assert_eq!(adjusted.config().lr, other.lr);
    assert!((wait(adjusted.weights()).unwrap()["entropy"] - 0.05).abs() < 1e-7);
    for (lr, weight, what) in [(-1.0, 0.05, "lr"), (1e-3, 0.0, "entropy"), (1e-3, f32::NAN, "entropy")] {
        let error = adjusted.adjust(lr, weight).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
    assert!(wait(adjusted.state()).unwrap() == adjusted_state, "what was refused has changed something");
}

#[test]
fn held_neurons_are_given_back() {
    let data = digits();
    let mut session = begun(&config(), &data);
    session.train(12).unwrap();
    let learnt = wait(session.state()).unwrap();
    let error = |session: &mut Session| wait(session.evaluate()).unwrap().mean("mse").unwrap();
    let before = error(&mut session);
    let all: Vec<(usize, usize)> = (0..64).map(|unit| (1, unit)).collect();
    wait(session.hold(&learnt, &all)).unwrap();
    let without = error(&mut session);
    wait(session.hold(&learnt, &all[..1])).unwrap();
    let with_most = error(&mut session);
    assert!(without != before && with_most != without, "{before} {without} {with_most}");
    assert!(wait(session.hold(&learnt, &[(9, 0)])).unwrap_err().to_string().contains("layer 9"));
    wait(session.hold(&learnt, &[])).unwrap();
    assert!(wait(session.state()).unwrap() == learnt && error(&mut session) == before);
}

#[test]
fn a_few_rows_are_coded_as_among_many() {
    let data = digits();
    let mut session = begun(&config(), &data);
    session.train(5).unwrap();
    let all = wait(session.codes(&data.test)).unwrap();
    let width = all.len() / data.test.rows;
    for rows in [1, 8, 9] {
        let few = wait(session.encode(&data.test.values(0..rows))).unwrap();
        let worst = few.iter().zip(&all).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(few.len() == rows * width && worst < 1e-5, "{rows} rows: {worst}");
    }
}

#[test]
fn an_epoch_ends_and_its_checkpoint_goes_through_bytes() {
    let data = digits();
    let mut session = begun(&config(), &data);
    let mut sums = TermSums::default();
    session.train(12).unwrap();
    let reading = session.begin_losses().unwrap();
    let stretch = wait(session.end_losses(reading, 0, &mut sums)).unwrap();
    let epoch = Epoch {
        clock: &stretch.clock,
        seconds: 2.0,
        samples_per_second: 300.0,
        sums: &sums,
        labels: &data.test.labels,
    };
    let outcome = wait(session.end_epoch(epoch)).unwrap();
    assert_eq!((outcome.metrics.epoch, outcome.metrics.step, outcome.metrics.samples_per_second), (1, 12, 300.0));
    assert!(outcome.metrics.effective_width(3).is_some() && outcome.observation.is_some());
    assert_eq!(outcome.metrics.get("train_mse"), sums.mean("mse"));
    let checkpoint = Checkpoint {
        config: config(),
        tuning: None,
        encoding: Some(data.encoding.clone()),
        rows: None,
        state: wait(session.state()).unwrap(),
        sums,
    };
    let bytes = checkpoint.to_bytes().unwrap();
    assert!(Checkpoint::from_bytes(&bytes).unwrap() == checkpoint);
    assert!(Checkpoint::from_bytes(&bytes[..bytes.len() - 1]).unwrap_err().starts_with("damaged checkpoint"));
}
