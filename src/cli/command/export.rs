//! `gpu-ae export`

use std::path::PathBuf;

use gpu_ae::train::record::export::export;
use gpu_ae::train::record::onnx::export_onnx;
use gpu_ae::{Error, Result};

use crate::cli::flags::{DataFlags, DeviceFlag, open_run};
use crate::cli::output::say;

#[derive(clap::Args)]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// Folder to write into [default: RUN]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write encoder.onnx, decoder.onnx and both as model.onnx, in the place of safetensors for PyTorch
    #[arg(long)]
    onnx: bool,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: Args) -> Result<()> {
    let (run, checkpoint) = open_run(&args.run, &DataFlags::default(), &DeviceFlag::default(), args.quiet)?;
    let folder = args.out.unwrap_or_else(|| run.path().to_path_buf());
    let files = if args.onnx {
        export_onnx(&checkpoint, &folder)?
    } else if checkpoint.config.clustering.is_some() {
        let problem = "is a cluster run, which has left its encoder as plain layers already: encoder.safetensors; \
                       --onnx writes another form of it";
        return Err(Error::input(&args.run, problem));
    } else {
        export(&checkpoint.state, &checkpoint.config, checkpoint.features()?, &folder)?
    };
    for file in files {
        if !args.quiet {
            say(&format!("wrote {}", file.display()));
        }
    }
    Ok(())
}
