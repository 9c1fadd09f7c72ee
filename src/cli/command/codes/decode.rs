//! `gpu-ae decode`

use std::path::PathBuf;

use gpu_ae::data::format::npy::{read_rows, write_rows};
use gpu_ae::model::part::Part;
use gpu_ae::report::{Band, image_grid, write_png};
use gpu_ae::{Error, Result};

use crate::cli::output::array_name;
use crate::cli::pictures::{COLUMNS, picture_name};
use crate::cli::trained::RunFlags;

/// Most images of a picture: a page of them.
const MOST: usize = 256;

#[derive(clap::Args)]
#[command(after_help = "Example:
  gpu-ae encode runs/NAME --out codes.npy
  gpu-ae decode runs/NAME codes.npy --picture decoded.png")]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Codes: a .npy file of floats, [rows, width of the code]
    codes: PathBuf,
    /// File of the images, f32 [rows, values] as the network gives them [default: RUN/decoded.npy]
    #[arg(long, value_name = "FILE", value_parser = array_name)]
    out: Option<PathBuf>,
    /// Also draw the images, the first 256 of them
    #[arg(long, value_name = "FILE", value_parser = picture_name)]
    picture: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<()> {
    let (directory, checkpoint, mut decoder) = args.run.open_part(Part::Decode, false)?;
    let encoding = checkpoint.encoding.as_ref();
    if let Some(path) = args.picture.as_ref().filter(|_| encoding.is_some_and(|encoding| encoding.is_table())) {
        let problem = "this run is of a table, whose rows are no images";
        return Err(Error::Usage(format!("--picture {}: {problem}; they are in the array of --out", path.display())));
    }
    let [width, features] = decoder.widths();
    let codes = read_rows(&args.codes, width, "a code of this run")?;
    let images = decoder.run(&codes)?;
    let out = args.out.unwrap_or_else(|| directory.path().join("decoded.npy"));
    write_rows(&out, features, &images)?;
    args.run.wrote_array(&out, &[images.len() / features, features], "f32");
    if let Some(path) = &args.picture {
        let drawn = &images[..images.len().min(MOST * features)];
        let pixels = &encoding.map_or_else(|| drawn.to_vec(), |encoding| encoding.shown(drawn));
        let title = format!("Images of {} codes", pixels.len() / features);
        let bands = [Band { caption: "", pixels }];
        write_png(path, &image_grid(&title, &bands, checkpoint.image()?, COLUMNS)?)?;
        args.run.wrote(path);
    }
    Ok(())
}
