//! `gpu-ae generate`

use std::path::PathBuf;

use clap::ValueEnum;
use gpu_ae::device::wait;
use gpu_ae::report::{Band, format_number, image_grid, write_png};
use gpu_ae::rng::{Rng, Stream, stream_key};
use gpu_ae::statistics::mixture::Mixture;
use gpu_ae::study::codes::into_range;
use gpu_ae::{Error, Result};

use crate::cli::flags::whole;
use crate::cli::output::say;
use crate::cli::pictures::COLUMNS;
use crate::cli::trained::{RunFlags, Trained};

use super::named::named;
use super::rows::{out_name, out_path, write_rows};

/// Training rows whose codes a mixture is fitted to.
const FITTED: usize = 10_000;

#[derive(clap::Args)]
#[command(
    after_help = "A variational or Wasserstein autoencoder is trained so that codes follow the standard Gaussian: that is \
its prior. The generator of a dcgan knows nothing else. A restricted Boltzmann machine is a distribution itself: chains of Gibbs steps, begun at training images, draw from it. The \
codes of the other models follow nothing in particular, so a mixture of Gaussians is fitted to those of 10,000 training rows.

Example:
  gpu-ae generate runs/NAME --images 100 --seed 3 --out digits.png
  gpu-ae generate runs/NAME --count 4096 --judge runs/CLASSIFIER
  gpu-ae generate runs/OF-A-TABLE --count 500 --out rows.csv"
)]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Where images are drawn from [default: prior for models that have one, gibbs for rbm, else mixture]
    #[arg(long, value_enum)]
    from: Option<From>,
    /// Gaussians of the mixture [default: 10]
    #[arg(long, value_name = "K", value_parser = whole(1..=1000u32),
        allow_negative_numbers = true)]
    components: Option<u32>,
    /// Gibbs steps from a training image to what is drawn [default: ten times those of the training]
    #[arg(long, value_name = "K", value_parser = whole(1..=1_000_000u32),
        allow_negative_numbers = true)]
    steps: Option<u32>,
    /// Number of images, or of rows of a table
    #[arg(long, visible_alias = "count", value_name = "N", default_value_t = 64, value_parser = whole(1..=4096u32),
        allow_negative_numbers = true)]
    images: u32,
    /// Seed of the draws [default: the run's]
    #[arg(long, value_name = "N", value_parser = whole(0..=u64::MAX), allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Name the images by this run, a classifier of such images: how many it is certain of, and the share of each class
    #[arg(long, value_name = "RUN")]
    judge: Option<PathBuf>,
    /// Picture to write, of a table a .csv file in its own units and words [default: RUN/generated.png or .csv]
    #[arg(long, value_name = "FILE", value_parser = out_name)]
    out: Option<PathBuf>,
}

/// Gaussians of a mixture if nothing is said.
const COMPONENTS: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum From {
    /// The standard Gaussian
    Prior,
    /// Gaussians fitted to the codes of training rows
    Mixture,
    /// A chain of Gibbs steps, of a restricted Boltzmann machine
    Gibbs,
}

pub fn run(args: Args) -> Result<()> {
    let mut trained = args.run.open_making(false)?;
    let path = out_path(args.out.as_deref(), &trained, "generated")?;
    let boltzmann = trained.config.contrastive_divergence;
    let usual = if trained.config.has_prior() {
        From::Prior
    } else if boltzmann.is_some() {
        From::Gibbs
    } else {
        From::Mixture
    };
    let from = args.from.unwrap_or(usual);
    let of_one = [("--components", args.components, From::Mixture), ("--steps", args.steps, From::Gibbs)];
    for (flag, value, whose) in of_one {
        if let Some(value) = value.filter(|_| from != whose) {
            let [whose, from] = [whose, from].map(|from| format!("{from:?}").to_lowercase());
            let problem = format!("has no effect; it is for --from {whose}, and this draws from the {from}");
            return Err(Error::Usage(format!("{flag} {value}: {problem}")));
        }
    }
    let seed = args.seed.unwrap_or(trained.config.seed);
    let mut rng = Rng::new(stream_key(seed, Stream::Generate));
    let images = args.images as usize;
    let pixels = match from {
        From::Prior => {
            let codes = (0..images * trained.config.code_width()).map(|_| rng.normal() as f32).collect();
            decoded(&mut trained, codes)?
        }
        From::Mixture => {
            if trained.config.adversarial.is_some() {
                let problem = "expected prior: nothing makes codes of rows here that a mixture could be fitted to";
                return Err(Error::Usage(format!("--from mixture: {problem}")));
            }
            let components = args.components.unwrap_or(COMPONENTS) as usize;
            let mixture = mixture(&mut trained, components, !args.run.quiet, &mut rng)?;
            decoded(&mut trained, mixture.draw(images, &mut rng))?
        }
        From::Gibbs => {
            let Some(learnt) = boltzmann else {
                let model = &trained.config.model;
                return Err(Error::Usage(format!("--from gibbs: expected a run of --model rbm, not of {model}")));
            };
            // Contrastive divergence shapes the distribution near the data: from random pixels chains get stuck.
            let train = &trained.data.train;
            let rows = (0..images).map(|_| rng.below(train.rows as u32) as usize);
            let start = rows.flat_map(|row| train.values(row..row + 1)).collect();
            let steps = args.steps.unwrap_or(learnt.steps.saturating_mul(10));
            trained.session.gibbs(start, steps, &mut rng)?
        }
    };
    let judged = args.judge.as_deref().map(|judge| named(judge, &trained, &args.run, &pixels)).transpose()?;
    if let Some(told) = judged.filter(|_| !args.run.quiet) {
        say(&told);
    }
    if let Some(columns) = &trained.data.encoding.columns {
        return write_rows(&args.run, &path, columns, &[], &pixels);
    }
    // A square, or nearly.
    let columns = (args.images as f64).sqrt().ceil() as usize;
    let drawn = match from {
        From::Prior => "decoded from codes of the standard Gaussian",
        From::Mixture => "decoded from codes of a mixture of Gaussians",
        From::Gibbs => "from chains of Gibbs steps",
    };
    let title = format!("{images} images that nobody drew, {drawn}, seed {seed}");
    let bands = [Band { caption: "", pixels: &trained.data.encoding.shown(&pixels) }];
    let grid = image_grid(&title, &bands, trained.data.image(), columns.min(2 * COLUMNS))?;
    write_png(&path, &grid)?;
    args.run.wrote(&path);
    Ok(())
}

/// The images of codes.
fn decoded(trained: &mut Trained, mut codes: Vec<f32>) -> Result<Vec<f32>> {
    into_range(&trained.config, &mut codes);
    wait(trained.session.decode(&codes))
}

/// The mixture of the codes of training rows.
fn mixture(trained: &mut Trained, components: usize, tell: bool, rng: &mut Rng) -> Result<Mixture> {
    let train = &trained.data.train;
    let rows = train.rows.min(FITTED);
    let codes = wait(trained.session.encode(&train.values(0..rows)))?;
    let fitted = Mixture::fit(&codes, trained.config.code_width(), components, rng)?;
    if let Some(objective) = fitted.objective.last().filter(|_| tell) {
        say(&format!(
            "mixture of {} Gaussians for the codes of {rows} training rows: {} nats a row after {} iterations",
            fitted.mixture.components(),
            format_number(*objective),
            fitted.objective.len()
        ));
    }
    Ok(fitted.mixture)
}
