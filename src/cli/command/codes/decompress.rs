//! `gpu-ae decompress`

use std::path::PathBuf;

use gpu_ae::coding::file::Refused;
use gpu_ae::data::format::npy::write_blocks;
use gpu_ae::model::part::Part;
use gpu_ae::study::lone_part::LonePart;
use gpu_ae::study::pictures::PictureCode;
use gpu_ae::train::Tuning;
use gpu_ae::{Error, Result, whole_file};
use serde::Serialize;

use super::picture;
use crate::cli::flags::open_device;
use crate::cli::output::{array_or_picture_name, is_of, say, say_json};
use crate::cli::trained::RunFlags;
use crate::cli::written::check_outputs;

#[derive(clap::Args)]
#[command(
    after_help = "A file is read by the model that made it and by no other. Without --images no device is asked: the numbers are the same on every \
machine. A file that is damaged is refused, block and place named, and nothing is written then.

Example:
  gpu-ae decompress runs/NAME codes.gae --out symbols.npy
  gpu-ae decompress runs/NAME codes.gae --out images.npy --images
  gpu-ae decompress runs/NAME photo.gae --out photo.png"
)]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Codes: a .gae file that compress wrote
    codes: PathBuf,
    /// File of the whole numbers: .npy, i32 [rows, channels], of maps [rows, cells, channels]; with --images f32 [rows, values]; of a picture
    /// its tiles are the rows, or .png the picture itself
    #[arg(long, value_name = "FILE", value_parser = array_or_picture_name)]
    out: PathBuf,
    /// Write what the network makes of the numbers instead: of one that reconstructs rows as it sees them, of a classifier logits of the classes
    #[arg(long)]
    images: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What a file held, and where it went.
#[derive(Serialize)]
struct Decompressed {
    shape: Vec<usize>,
    /// `symbols`, `rows` or `logits`.
    of: &'static str,
    model: String,
    out: PathBuf,
}

pub fn run(args: Args) -> Result<()> {
    let quiet = args.run.quiet || args.json;
    let (checkpoint, code) = args.run.open_code(quiet)?;
    check_outputs(&checkpoint.config, &[&args.codes], &[("--out", &args.out)])?;
    let of = match (args.images, checkpoint.config.classifier.is_some()) {
        (false, _) => "symbols",
        (true, true) => "logits",
        (true, false) => {
            args.run.check_reconstructs(&checkpoint.config)?;
            "rows"
        }
    };
    let bytes = whole_file::read(&args.codes).map_err(Error::io(&args.codes, "read"))?;
    let refused = |problem: Refused| Error::input(&args.codes, problem.to_string());
    let of_picture = match checkpoint.config.coded_pixels() {
        Some(_) => PictureCode::of_file(&checkpoint, &bytes)?.map_err(refused)?,
        None => None,
    };
    if is_of(&args.out, "png") {
        let Some(of_picture) = &of_picture else {
            let problem = "its rows are no picture: expected --out with a name that ends in .npy";
            return Err(Error::input(&args.codes, problem));
        };
        return picture::decompress(&args.run, &checkpoint, (&args.codes, &bytes), of_picture, args.out, args.json);
    }
    let (checkpoint, code) = match &of_picture {
        Some(of_picture) => (of_picture.checkpoint(), of_picture.code()),
        None => (&checkpoint, &code),
    };
    let mut reader = code.reader(&bytes).map_err(refused)?;
    let rows = reader.header().rows;
    let shape = |row: &[usize]| -> Result<Vec<usize>> {
        let beyond = || Error::input(&args.codes, format!("says that it has {rows} rows, more than can be counted"));
        let rows = usize::try_from(rows).map_err(|_| beyond())?;
        let shape = [&[rows], row].concat();
        // Bytes of the array, which a header of its own counts too.
        shape.iter().try_fold(size_of::<f32>(), |all, &extent| all.checked_mul(extent)).ok_or_else(beyond)?;
        Ok(shape)
    };
    let counted = |shape: &[usize]| -> Vec<u64> { shape.iter().map(|&extent| extent as u64).collect() };
    let mut symbols = || reader.block().map_err(refused);
    let shape = if args.images {
        let device = open_device(&checkpoint.config.device, quiet)?;
        let choices = Tuning::or_static(checkpoint.tuning.as_ref(), device.as_ref());
        let mut part = LonePart::open(device, checkpoint, &choices, Part::Restore)?;
        let shape = shape(&[part.widths()[1]])?;
        write_blocks(&args.out, &counted(&shape), || {
            let Some(symbols) = symbols()? else { return Ok(None) };
            let symbols: Vec<f32> = symbols.into_iter().map(|symbol| symbol as f32).collect();
            part.run(&symbols).map(Some)
        })?;
        shape
    } else {
        let shape = shape(&code.shape())?;
        write_blocks(&args.out, &counted(&shape), symbols)?;
        shape
    };
    if args.json {
        return say_json(&Decompressed { shape, of, model: code.identity().to_string(), out: args.out });
    }
    args.run.wrote_array(&args.out, &shape, if args.images { "f32" } else { "i32" });
    if of == "logits" && !args.run.quiet {
        say("its rows are logits of the classes: a classifier makes no images of its codes");
    }
    Ok(())
}
