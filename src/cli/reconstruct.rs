//! `gpu-ae reconstruct`

use std::path::PathBuf;

use gpu_ae::Result;
use gpu_ae::report::{reconstruction_grid, write_png};

use super::flags::{DataFlags, DeviceFlag, evaluation_session, open_run};
use super::output::say;
use super::pictures::COLUMNS;

#[derive(clap::Args)]
pub struct Args {
    /// Run directory
    run: PathBuf,
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    device: DeviceFlag,
    /// Picture to write [default: RUN/reconstructions-<data>.png]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Number of test images
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096),
        allow_negative_numbers = true)]
    images: u32,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: Args) -> Result<()> {
    let (run, checkpoint) = open_run(&args.run, &args.data, &args.device, args.quiet)?;
    let mut session = evaluation_session(&checkpoint, args.quiet)?;
    let (originals, reconstructions) = session.reconstruct(args.images as usize)?;
    let grid = reconstruction_grid(&originals, &reconstructions, session.image(), COLUMNS)?;
    let default = || run.path().join(format!("reconstructions-{}.png", checkpoint.config.data));
    let path = args.out.unwrap_or_else(default);
    write_png(&path, &grid)?;
    if !args.quiet {
        say(&format!("wrote {}", path.display()));
    }
    Ok(())
}
