//! A network judged: one error of reconstruction, whoever asks for it.

use gpu_ae::config::{MODELS, RunConfig, Said};
use gpu_ae::data;
use gpu_ae::device::{CpuDevice, wait};
use gpu_ae::train::{Session, Tuning};

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64
}

#[test]
fn the_error_of_the_test_data_is_the_mean_of_that_of_its_rows() {
    let digits = data::set::digits::dataset(3, 64, 40).unwrap();
    let mut judged = 0;
    for model in MODELS {
        let mut config = RunConfig::model(model).unwrap();
        if config.hopfield.is_some() || !config.reconstructs() {
            continue;
        }
        // What would have to be fetched.
        if config.data.path == "cifar10" {
            config.set("test", "data.path", "digits").unwrap();
            config.follow_data(Said::default()).unwrap();
        }
        let data = if config.data.path == "digits" { digits.clone() } else { config.load_data().unwrap() };
        let device = Box::new(CpuDevice::new());
        let choices = Tuning::or_static(None, device.as_ref());
        let mut session = wait(Session::for_training(device, &config, &data, &choices, &mut |_, _| ())).unwrap();
        wait(session.initialise(data.train.rows, None)).unwrap();
        session.train(3).unwrap();
        let sums = wait(session.evaluate()).unwrap();
        let rows = data.test.values(0..data.test.rows);
        let (error, errors) =
            (sums.mean("mse").unwrap(), mean(&wait(session.row_errors(&data.test, |_, _| ())).unwrap()));
        assert!((error - errors).abs() < 1e-6 * errors, "{model}: {error} as a term, {errors} as a mean of rows");
        judged += 1;
        if config.variational.is_some() {
            // A likelihood is that of a drawn code, which is not that of the mean.
            let codes = wait(session.encode(&rows)).unwrap();
            let pairs = wait(session.decode(&codes)).unwrap();
            let nats = |(&x, &p): (&f32, &f32)| {
                let (x, p) = (f64::from(x), f64::from(p));
                -(x * p.ln() + (1.0 - x) * (1.0 - p).ln())
            };
            let of_means = rows.iter().zip(&pairs).map(nats).sum::<f64>() / data.test.rows as f64;
            let drawn = sums.mean("nll").unwrap();
            assert!((drawn - of_means).abs() > 1e-4 * of_means, "{drawn} of drawn codes, {of_means} of their means");
        }
    }
    assert!(judged >= 8, "{judged} of {}", MODELS.len());
}
