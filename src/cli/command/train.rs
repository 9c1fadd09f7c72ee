//! `gpu-ae train`

use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use gpu_ae::config::{RunConfig, in_file};
use gpu_ae::data::Dataset;
use gpu_ae::device::Device;
use gpu_ae::report::{format_number, text_table};
use gpu_ae::study::codes::Reconstructions;
use gpu_ae::study::sweep::COLLAPSED;
use gpu_ae::train::early_stopping::Judgement;
use gpu_ae::train::record::checkpoint::previous;
use gpu_ae::train::{Checkpoint, EpochMetrics, Event, Run, RunDir};
use gpu_ae::{Error, Result};

use crate::cli::flags::{ConfigFlags, DeviceFlag, open_device};
use crate::cli::from::begin_with;
use crate::cli::output::{complain, say_json, tell, thousands};
use crate::cli::pictures::draw;
use crate::cli::profile::{ceilings, table, write_table};
use crate::cli::progress::Display;
use crate::cli::tuning::{self, Precision, Tune};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    device: DeviceFlag,
    /// Run directory to make; must not exist or be empty [default: runs/<data>-<time>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// For --model classifier: begin with the encoder of this run (of train or cluster), and its data unless --data says otherwise
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    from: Option<PathBuf>,
    /// Continue this run from its checkpoint; only --epochs, --lr, the lambdas, --data-dir, --device and --set early_stopping.… may change
    #[arg(long, value_name = "RUN", conflicts_with = "out")]
    resume: Option<PathBuf>,
    /// With --resume: use the checkpoint before the newest one
    #[arg(long, requires = "resume")]
    from_previous: bool,
    /// Time some steps kernel by kernel: a table, and a trace for Perfetto in the run directory
    #[arg(long)]
    profile: bool,
    /// When to measure which kernels are fastest on this device; a resumed run keeps those it has
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Tune::Auto)]
    tune: Tune,
    /// How exactly matrix products are computed; a resumed run keeps its own
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    precision: Precision,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
    /// Print the last epoch's metrics, under early stopping the best one's, as one JSON object, and nothing else
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args, begin: Instant) -> Result<()> {
    let quiet = args.quiet || args.json;
    if args.resume.is_none() {
        let config = args.config.clone().resolve(&args.device)?;
        if let Some(settings) = &config.hopfield {
            let path = free_out(&args, &config)?;
            let (data, mut device) = prepare(&config, quiet)?;
            return crate::cli::hopfield::run(&config, settings, &data, device.as_mut(), &path, [quiet, args.json]);
        }
    }
    let mut run = match &args.resume {
        Some(path) => resume(&args, path.clone(), quiet)?,
        None => start(&args, quiet)?,
    };
    let mut display = Display::new(&run.config, run.data.train.rows, begin, quiet);
    let directory = RunDir::open(&run.path)?;
    let mut profiled = Ok(());
    let trained = run.run.train(|event| {
        display.show(event);
        if let Event::Profile(profile) = event {
            profiled = write_table(&directory, &table(profile));
        }
    });
    display.finish();
    trained?;
    profiled?;
    run.run.take_best()?;
    let pictures = draw(&mut run.run, &directory, &run.data)?;
    let path = run.path.display();
    if args.json {
        return match run.run.outcome() {
            Some(metrics) => say_json(metrics),
            None => Err(Error::Failed(format!("{path}/metrics.jsonl: no epoch is left in it to print"))),
        };
    }
    if !quiet {
        tell(&format!("run directory: {path}"));
        if let Some(Judgement { term, best, value, .. }) = run.run.judgement() {
            let value = format_number(value);
            tell(&format!("best epoch:    {} of {}, test {term} {value}", best.epoch, run.run.epoch()));
        }
        if let Some(metrics) = run.run.outcome() {
            tell(&chosen(&run.config, metrics));
            let mean_image = run.data.mean_image_error();
            if run.config.classifier.is_none() && metrics.test_mse > COLLAPSED * mean_image {
                let advice = if run.config.lambda_entropy > 0.0 {
                    "a smaller --lambda-entropy, a warm-up or --recipe bottleneck usually helps"
                } else {
                    "a smaller --lr or weight of the penalty, or more epochs, usually helps"
                };
                let error = metrics.test_mse;
                complain(&format!(
                    "collapsed: the test error is {error:.4}, that of the mean image {mean_image:.4}; {advice}"
                ));
            }
        }
        if run.config.data.starts_with("one-hot") {
            tell(&patterns(&mut run.run)?);
        }
        tell(&format!("pictures:      {path}/{}", pictures.join(", ")));
        if args.profile {
            tell(&format!("profile:       {path}/profile.txt, {path}/profile.json"));
            tell(&format!("trace:         {path}/trace.json, for https://ui.perfetto.dev or chrome://tracing"));
        }
        tell(&format!("what next:     gpu-ae inspect {path}, {}", next(&run.config, &path.to_string())));
    }
    Ok(())
}

/// A command that makes something of a run.
fn next(config: &RunConfig, path: &str) -> String {
    if config.classifier.is_some() {
        format!("gpu-ae eval {path}")
    } else if config.has_prior() || config.contrastive_divergence.is_some() {
        format!("gpu-ae generate {path}")
    } else if config.tied {
        format!("gpu-ae reconstruct {path}")
    } else {
        format!("gpu-ae compact {path}")
    }
}

/// The codes that a network has found for the patterns of the encoder task.
fn patterns(run: &mut Run) -> Result<String> {
    let observation = run.session().observe()?;
    let Reconstructions { originals: patterns, outputs: reconstructions, .. } =
        run.session().reconstruct(observation.rows.len())?;
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
    Ok(text_table(&["pattern", "hidden code", "largest error"], &lines).trim_end().to_string())
}

/// A run about to be trained.
struct Prepared {
    run: Run,
    config: RunConfig,
    data: Dataset,
    path: PathBuf,
}

/// Opens the device while the data is being made ready.
fn prepare(config: &RunConfig, quiet: bool) -> Result<(Dataset, Box<dyn Device>)> {
    let (data, device) = rayon::join(|| config.load_data(), || open_device(&config.device, quiet));
    Ok((data?, device?))
}

fn start(args: &Args, quiet: bool) -> Result<Prepared> {
    let mut config = args.config.clone().resolve(&args.device)?;
    let keep_data = args.config.data.data.is_some();
    let encoder = args.from.as_ref().map(|from| begin_with(from, &mut config, keep_data, quiet)).transpose()?;
    config.warnings().iter().filter(|_| !quiet).for_each(|warning| complain(&format!("warning: {warning}")));
    let path = free_out(args, &config)?;
    let (data, mut device) = prepare(&config, quiet)?;
    // Only a file can say so, and only now is it known to be wrong.
    if let Err(error) = config.check_shape(data.train.row_bytes, data.classes(), &data.name) {
        return Err(match &args.config.config {
            Some(file) => in_file(file, &error),
            None => error,
        });
    }
    introduce(&config, &data, device.name(), quiet);
    let tuning = tuning::choose(args.tune, args.precision, device.as_mut(), &config, &data, quiet)?;
    let ceilings = ceilings(args.profile, device.as_mut(), quiet)?;
    let mut run = Run::start(config.clone(), RunDir::create(&path)?, device, &data, tuning, encoder.as_ref())?;
    if let Some(ceilings) = ceilings {
        run.profile(ceilings)?;
    }
    Ok(Prepared { run, config, data, path })
}

fn resume(args: &Args, path: PathBuf, quiet: bool) -> Result<Prepared> {
    let directory = RunDir::open(&path)?;
    let mut file = directory.checkpoint();
    if args.from_previous {
        file = previous(&file);
    }
    let checkpoint = Checkpoint::load(&file)?;
    let mut config = checkpoint.config.clone();
    args.config.check_resume(&config)?;
    args.config.clone().apply(&args.device, &mut config)?;
    let (data, mut device) = prepare(&config, quiet)?;
    introduce(&config, &data, device.name(), quiet);
    let recorded = checkpoint.tuning.as_ref();
    let tuning = tuning::choose_again(recorded, args.tune, device.as_mut(), &config, &data, quiet)?;
    let ceilings = ceilings(args.profile, device.as_mut(), quiet)?;
    let mut run = Run::resume(config.clone(), checkpoint, directory, device, &data, tuning)?;
    if let Some(ceilings) = ceilings {
        run.profile(ceilings)?;
    }
    if !quiet {
        let (name, done, wanted) = (path.display(), run.epoch(), config.epochs);
        let over = run.judgement().is_some_and(|judgement| judgement.is_over);
        complain(&if over {
            format!(
                "{name}: stopped early after {done} epochs; nothing is left to do, --set early_stopping.patience=N \
                 waits longer"
            )
        } else if done < wanted {
            format!("resuming {name} after {done} of {wanted} epochs")
        } else {
            format!(
                "{name}: {done} epochs are done and {wanted} wanted; nothing is left to do, --epochs N trains further"
            )
        });
    }
    Ok(Prepared { run, config, data, path })
}

/// Where a new run goes: refused before any work is done, made only once data and device are there.
fn free_out(args: &Args, config: &RunConfig) -> Result<PathBuf> {
    let path = args.out.clone().unwrap_or_else(|| default_out(&config.data));
    RunDir::check_free(&path)?;
    Ok(path)
}

/// `runs/<data>-<time>`, numbered when two runs start within a second.
fn default_out(data: &str) -> PathBuf {
    let time =
        humantime::format_rfc3339_seconds(SystemTime::now()).to_string().replace([':', '-'], "").replace('T', "-");
    let stem = format!("{data}-{}", time.trim_end_matches('Z'));
    let mut path = PathBuf::from("runs").join(&stem);
    let mut number = 2;
    while path.exists() {
        path = PathBuf::from("runs").join(format!("{stem}-{number}"));
        number += 1;
    }
    path
}

/// What the network decided about its bottleneck.
fn chosen(config: &RunConfig, metrics: &EpochMetrics) -> String {
    let code = config.code_layer();
    let observed = |key: &str| metrics.observed.get(&format!("{key}_{}", code + 1)).copied().unwrap_or(f64::NAN);
    format!(
        "code layer:    {} of {} neurons take part, effective width {:.1} by paths",
        observed("active_units"),
        config.code_width(),
        observed("effective_width")
    )
}

fn introduce(config: &RunConfig, data: &Dataset, device: &str, quiet: bool) {
    if quiet {
        return;
    }
    let features = data.train.row_bytes;
    let widths: Vec<String> = config.layers().map(|layer| layer.linear.to_string()).collect();
    let parameters = config.parameters(features);
    complain(&format!(
        "{} {features}-{} ({} parameters) on {} ({} + {} images) with {device}",
        config.model,
        widths.join("-"),
        thousands(parameters as u64),
        data.name,
        thousands(data.train.rows as u64),
        thousands(data.test.rows as u64),
    ));
}
