//! `gpu-ae reconstruct`

use std::path::PathBuf;

use gpu_ae::Result;
use gpu_ae::report::write_png;

use crate::cli::flags::whole;
use crate::cli::pictures::{picture_name, reconstruction_picture};
use crate::cli::trained::RunFlags;

#[derive(clap::Args)]
#[command(after_help = "Example:
  gpu-ae reconstruct runs/NAME --data digits --images 32 --out digits.png")]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Picture to write [default: RUN/reconstructions-<data>.png]
    #[arg(long, value_name = "FILE", value_parser = picture_name)]
    out: Option<PathBuf>,
    /// Number of test images
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = whole(1..=4096u32),
        allow_negative_numbers = true)]
    images: u32,
    /// Put noise on the images first: gaussian=0.3, masking=0.3 or salt-pepper=0.3 [default: that of the training]
    #[arg(long, value_name = "NOISE=AMOUNT")]
    noise: Option<String>,
}

pub fn run(args: Args) -> Result<()> {
    let mut trained = args.run.open_under(args.noise.as_deref())?;
    let reconstructions = trained.session.reconstruct(args.images as usize)?;
    let grid = reconstruction_picture(&reconstructions, &trained.data.encoding, &trained.data.name)?;
    let default = || trained.directory.path().join(format!("reconstructions-{}.png", trained.data.name));
    let path = args.out.clone().unwrap_or_else(default);
    write_png(&path, &grid)?;
    args.run.wrote(&path);
    Ok(())
}
