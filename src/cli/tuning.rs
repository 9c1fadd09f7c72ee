//! `--tune`: when kernels are measured, and the line that shows it.

use clap::ValueEnum;
use gpu_ae::Result;
use gpu_ae::config::RunConfig;
use gpu_ae::data::Dataset;
use gpu_ae::device::Device;
use gpu_ae::train::Tuning;
use gpu_ae::train::tuning::{self, Mode, Progress};

use super::output::{begin, complain};

/// When kernels are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tune {
    /// Once for each GPU, driver and network, which takes up to a second; never on software adapters
    Auto,
    /// Never: a fixed choice for each kind of device
    Off,
    /// Now, on software adapters too, for up to half a minute, whatever was measured before
    Force,
}

impl From<Tune> for Mode {
    fn from(tune: Tune) -> Mode {
        match tune {
            Tune::Auto => Mode::Auto,
            Tune::Off => Mode::Off,
            Tune::Force => Mode::Force,
        }
    }
}

fn show(progress: Progress<'_>, adapter: &str) {
    match progress {
        Progress::Begin(sites) => begin(&format!("tuning {sites} operations on {adapter} ... ")),
        Progress::Done(report) => {
            let left = match report.left {
                0 => String::new(),
                left => format!(", {left} not measured: --tune force takes its time"),
            };
            let time = report.time.as_secs_f64();
            complain(&format!("{time:.1} s, {} changed, {}{left}", report.changed, report.plan));
            report.refused.iter().for_each(|refusal| complain(refusal));
        }
        Progress::Failed => complain("failed"),
        Progress::Notice(notice) => complain(notice),
    }
}

/// How exactly products are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// Factors and sums of 32 bits
    F32,
    /// Factors of 16 bits, sums of 32, on GPUs with matrix units, where that was proved right and is faster
    Mixed,
}

/// Chooses the kernels of a new run.
pub fn choose(
    tune: Tune,
    precision: Precision,
    device: &mut dyn Device,
    config: &RunConfig,
    data: &Dataset,
    quiet: bool,
) -> Result<Tuning> {
    let adapter = device.identity().adapter;
    tuning::choose(tune.into(), precision == Precision::Mixed, device, config, data, &mut |progress| {
        if !quiet {
            show(progress, &adapter);
        }
    })
}

/// Chooses the kernels of a run that goes on, which are those it has.
pub fn choose_again(
    recorded: Option<&Tuning>,
    tune: Tune,
    device: &mut dyn Device,
    config: &RunConfig,
    data: &Dataset,
    quiet: bool,
) -> Result<Tuning> {
    let adapter = device.identity().adapter;
    tuning::choose_again(recorded, tune.into(), device, config, data, &mut |progress| {
        if !quiet {
            show(progress, &adapter);
        }
    })
}
