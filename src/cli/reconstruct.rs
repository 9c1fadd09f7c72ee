//! `gpu-ae reconstruct`

use std::path::PathBuf;

use gpu_ae::Result;
use gpu_ae::report::{reconstruction_grid, write_png};

use super::pictures::COLUMNS;
use super::trained::RunFlags;

#[derive(clap::Args)]
#[command(after_help = "Example:
  gpu-ae reconstruct runs/NAME --data digits --images 32 --out digits.png")]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Picture to write [default: RUN/reconstructions-<data>.png]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Number of test images
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096),
        allow_negative_numbers = true)]
    images: u32,
}

pub fn run(args: Args) -> Result<()> {
    let mut trained = args.run.open(false)?;
    let (originals, reconstructions) = trained.session.reconstruct(args.images as usize)?;
    let grid = reconstruction_grid(&originals, &reconstructions, trained.data.image, COLUMNS)?;
    let default = || trained.directory.path().join(format!("reconstructions-{}.png", trained.config.data));
    let path = args.out.clone().unwrap_or_else(default);
    write_png(&path, &grid)?;
    args.run.wrote(&path);
    Ok(())
}
