//! `gpu-ae train`

use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use gpu_ae::config::RunConfig;
use gpu_ae::device::wait;
use gpu_ae::error::pasted;
use gpu_ae::study::codes::Reconstructions;
use gpu_ae::study::collapse::mean_image;
use gpu_ae::train::{EpochMetrics, Run, RunDir};
use gpu_ae::{Error, Result};

use crate::cli::command::cluster::{CLUSTERS, finish};
use crate::cli::data_flags::ReadingFlags;
use crate::cli::flags::{ConfigFlags, DeviceFlag};
use crate::cli::from::{begin_again, begin_with};
use crate::cli::interrupt::Signals;
use crate::cli::launch::{TrainingFlags, prepare};
use crate::cli::output::{complain, tell};
use crate::cli::pictures::{draw, page};
use crate::cli::terminal::table;
use crate::cli::tuning::{Precision, Tune};

#[derive(clap::Args)]
#[command(after_help = "Example:
  gpu-ae train --model vae --epochs 20
  gpu-ae train --data photos --size 32x32                         a folder of images; its folders are their classes
  gpu-ae train --data flowers.csv --label species --id number     a table; 'gpu-ae data info flowers.csv' says what is read
  gpu-ae train --data rows.npy --scale none                       an array, its values as they are
  gpu-ae config check --data flowers.csv                          the network that would be trained

On data of one's own, where neither a flag nor a file says otherwise, a step has at most an eighth of the training rows, rounded down to \
a power of two, at least 8 and at most the model's own; and there are as many epochs as make 2,000 steps, at least the model's own and \
at most 1,000. The first line of a run says how long it is: 'epochs 500: 2,000 steps'.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    device: DeviceFlag,
    /// For --model classifier: begin with the encoder of this run (of train or cluster), and its data unless --data says otherwise
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    from: Option<PathBuf>,
    #[command(flatten)]
    training: TrainingFlags,
}

pub fn run(args: Args, begin: Instant) -> Result<()> {
    let signals = Signals::listen()?;
    let quiet = args.training.is_quiet();
    let own = match args.training.processes.join()? {
        Some(own) if !own.leads() => return own.follow(&args.device, signals),
        own => own,
    };
    let device = own.as_ref().map_or_else(|| args.device.clone(), |own| own.device(&args.device));
    let mut launched = match &args.training.resume {
        Some(path) => args.training.resume(path, &args.config, &device, own)?,
        None => {
            let mut flags = args.config.clone();
            if args.from.is_some() && flags.data.data.is_none() {
                // Which data they are about is known with the run that is begun with.
                flags.data.reading = ReadingFlags::default();
            }
            let mut config = flags.resolve(&device)?;
            let directory = match &args.training.out {
                Some(path) => RunDir::create(path)?,
                None => RunDir::numbered(&default_out(&config.data.short_name()))?,
            };
            if let Some(settings) = &config.hopfield {
                check_untrained(&args)?;
                args.config.data.check_used(&config.data)?;
                let (data, mut device) = prepare(&config, None, quiet)?;
                let told = [quiet, args.training.json];
                return crate::cli::hopfield::run(&config, settings, &data, device.as_mut(), &directory, told);
            }
            let encoder = match &args.from {
                Some(from) => Some(begin_with(from, &mut config, &args.config, quiet)?),
                None => begin_again(&config, quiet)?,
            };
            args.config.data.check_used(&config.data)?;
            args.training.start(config, directory, encoder.as_ref(), args.config.config.as_deref(), own)?
        }
    };
    let directory = launched.train(&args.training, begin, signals)?;
    if launched.config.clustering.is_some() {
        // What 'gpu-ae cluster' leaves of such a run, whoever trains it further.
        finish(&mut launched)?;
    }
    let mut pictures = draw(&mut launched.run, &directory, &launched.data)?;
    if launched.config.clustering.is_some() {
        pictures.insert(0, CLUSTERS.into());
    }
    page::write(&mut launched.run, &directory, &launched.data, &pictures)?;
    if args.training.json {
        return launched.say_outcome();
    }
    if quiet {
        return Ok(());
    }
    launched.tell_where(args.training.profile);
    if let Some(chosen) = launched.run.outcome().and_then(|metrics| chosen(&launched.config, metrics)) {
        tell(&chosen);
    }
    let epochs = launched.run.epochs_to_outcome();
    if let Some(warning) =
        mean_image(&launched.config, epochs, launched.data.mean_row_error(), launched.data.encoding.words()[0])
    {
        complain(&warning);
    }
    let (config, path) = (&launched.config, launched.path.display().to_string());
    if config.data.path.starts_with("one-hot") && config.reconstructs() {
        tell(&patterns(&mut launched.run)?);
    }
    tell(&format!("pictures:      {path}/{}", pictures.join(", ")));
    tell(&format!("all of it:     {path}/report.html"));
    // What a network no longer uses is told of a chain of layers.
    let run = pasted(&launched.path);
    let inspected = if config.images().is_some() { String::new() } else { format!("gpu-ae inspect {run}, ") };
    tell(&format!("what next:     {inspected}{}", next(config, &run)));
    Ok(())
}

/// Refuses flags about how a network is trained, for a model that trains none.
fn check_untrained(args: &Args) -> Result<()> {
    let training = &args.training;
    let flags = [
        ("--from", args.from.is_some()),
        ("--profile", training.profile),
        ("--tensorboard", training.tensorboard),
        ("--tui", training.tui),
        ("--tune", training.tune != Tune::Auto),
        ("--precision", training.precision != Precision::F32),
    ];
    match flags.iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(Error::Usage(format!("{flag}: has no effect; a Hopfield network is not trained"))),
        None => Ok(()),
    }
}

/// A command that makes something of a run.
fn next(config: &RunConfig, path: &str) -> String {
    if !config.makes_rows() {
        format!("gpu-ae eval {path}")
    } else if config.has_prior() || config.contrastive_divergence.is_some() {
        format!("gpu-ae generate {path}")
    } else if config.tied || config.images().is_some() {
        format!("gpu-ae reconstruct {path}")
    } else {
        format!("gpu-ae compact {path}")
    }
}

/// The codes that a network has found for the patterns of the encoder task.
fn patterns(run: &mut Run) -> Result<String> {
    let observation = wait(run.session().observe())?;
    let Reconstructions { originals: patterns, outputs: reconstructions, .. } =
        wait(run.session().reconstruct(observation.rows.len()))?;
    let rows = observation.rows.len().max(1);
    let codes = observation.codes.chunks_exact((observation.codes.len() / rows).max(1));
    let width = patterns.len() / rows;
    let answers = patterns.chunks_exact(width).zip(reconstructions.chunks_exact(width));
    let lines = codes.zip(answers).enumerate().map(|(number, (code, (pattern, answer)))| {
        let worst = pattern.iter().zip(answer).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        let code: Vec<String> = code.iter().map(|value| format!("{value:.3}")).collect();
        vec![(number + 1).to_string(), code.join("  "), format!("{worst:.4}")]
    });
    let lines: Vec<Vec<String>> = lines.collect();
    Ok(table(&["pattern", "hidden code", "largest error"], &lines))
}

/// `runs/<data>-<time>`.
fn default_out(data: &str) -> PathBuf {
    let time =
        humantime::format_rfc3339_seconds(SystemTime::now()).to_string().replace([':', '-'], "").replace('T', "-");
    PathBuf::from("runs").join(format!("{data}-{}", time.trim_end_matches('Z')))
}

/// What the network decided about its bottleneck.
fn chosen(config: &RunConfig, metrics: &EpochMetrics) -> Option<String> {
    let code = config.encoder_layers();
    let active = metrics.active_units(code)?;
    let width = metrics.effective_width(code);
    let width = width.map_or(String::new(), |width| format!(", effective width {width:.1} by paths"));
    Some(format!("code layer:    {active} of {} neurons active{width}", config.code_width()))
}
