//! `gpu-ae generate`

use std::path::PathBuf;

use clap::ValueEnum;
use gpu_ae::Result;
use gpu_ae::report::{Band, format_number, image_grid, write_png};
use gpu_ae::rng::{Rng, Stream, stream_key};
use gpu_ae::train::codes::into_range;
use gpu_ae::train::mixture::Mixture;

use super::output::say;
use super::pictures::COLUMNS;
use super::trained::{RunFlags, Trained};

/// Training rows whose codes a mixture is fitted to.
const FITTED: usize = 10_000;

#[derive(clap::Args)]
#[command(
    after_help = "A variational or Wasserstein autoencoder is trained so that codes follow the standard Gaussian: that is \
its prior. The codes of the other models follow nothing in particular, so a mixture of Gaussians is fitted to those of 10,000 \
training rows.

Example:
  gpu-ae generate runs/NAME --images 100 --seed 3 --out digits.png"
)]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Where codes are drawn from [default: prior for models that have one, else mixture]
    #[arg(long, value_enum)]
    from: Option<From>,
    /// Gaussians of the mixture
    #[arg(long, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000),
        allow_negative_numbers = true)]
    components: u32,
    /// Number of images
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096),
        allow_negative_numbers = true)]
    images: u32,
    /// Seed of the draws [default: the run's]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Picture to write [default: RUN/generated.png]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// The standard Gaussian
    Prior,
    /// Gaussians fitted to the codes of training rows
    Mixture,
}

pub fn run(args: Args) -> Result<()> {
    let mut trained = args.run.open(false)?;
    let usual = if trained.config.has_prior() { From::Prior } else { From::Mixture };
    let seed = args.seed.unwrap_or(trained.config.seed);
    let mut rng = Rng::new(stream_key(seed, Stream::Generate));
    let images = args.images as usize;
    let mut codes: Vec<f32> = match args.from.unwrap_or(usual) {
        From::Prior => (0..images * trained.config.code_width()).map(|_| rng.normal() as f32).collect(),
        From::Mixture => {
            mixture(&mut trained, args.components as usize, !args.run.quiet, &mut rng)?.draw(images, &mut rng)
        }
    };
    into_range(&trained.config, &mut codes);
    let pixels = trained.session.decode(&codes)?;
    // A square, or nearly.
    let columns = (args.images as f64).sqrt().ceil() as usize;
    let grid = image_grid(&[Band { caption: "", pixels: &pixels }], trained.data.image, columns.min(2 * COLUMNS))?;
    let path = args.out.unwrap_or_else(|| trained.directory.path().join("generated.png"));
    write_png(&path, &grid)?;
    args.run.wrote(&path);
    Ok(())
}

/// The mixture of the codes of training rows.
fn mixture(trained: &mut Trained, components: usize, tell: bool, rng: &mut Rng) -> Result<Mixture> {
    let train = &trained.data.train;
    let rows = train.rows.min(FITTED);
    let codes = trained.session.encode(&train.values(0..rows))?;
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
