//! `gpu-ae decode`

use std::path::PathBuf;

use gpu_ae::data::format::npy::{read_rows, write_rows};
use gpu_ae::model::part::Part;
use gpu_ae::report::{Band, image_grid, write_png};
use gpu_ae::{Error, Result, whole_file};

use crate::cli::output::{array_or_table_name, is_of};
use crate::cli::pictures::{COLUMNS, picture_name};
use crate::cli::trained::RunFlags;
use crate::cli::written::check_outputs;

/// Most images of a picture: a page of them.
const MOST: usize = 256;

#[derive(clap::Args)]
#[command(after_help = "Example:
  gpu-ae encode runs/NAME --out codes.npy
  gpu-ae decode runs/NAME codes.npy --picture decoded.png
  gpu-ae decode runs/NAME codes.npy --out decoded.csv     of a table's run: in its own units and words")]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Codes: a .npy file of floats, [rows, width of the code]
    codes: PathBuf,
    /// File of the rows, as the network sees them: .npy, f32 [rows, values]; of a table's run also .csv, in its own units and words [default: RUN/decoded.npy]
    #[arg(long, value_name = "FILE", value_parser = array_or_table_name)]
    out: Option<PathBuf>,
    /// Also draw the images, the first 256 of them
    #[arg(long, value_name = "FILE", value_parser = picture_name)]
    picture: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<()> {
    let (directory, checkpoint, mut decoder) = args.run.open_part(Part::Decode, false)?;
    let [width, features] = decoder.widths();
    let out = args.out.unwrap_or_else(|| directory.path().join("decoded.npy"));
    let mut outputs = vec![("--out", out.as_path())];
    outputs.extend(args.picture.iter().map(|path| ("--picture", path.as_path())));
    check_outputs(&checkpoint.config, &[&args.codes], &outputs)?;
    let encoding = checkpoint.encoding.as_ref();
    let columns = encoding.and_then(|encoding| encoding.columns.as_ref());
    if let Some(path) = args.picture.as_ref().filter(|_| columns.is_some()) {
        let problem = "this run is of a table, whose rows are no images; --out decoded.csv has them in its own units";
        return Err(Error::Usage(format!("--picture {}: {problem}", path.display())));
    }
    let is_table = is_of(&out, "csv");
    if is_table && columns.is_none() {
        let problem = "the run is not of a table, expected a name that ends in .npy";
        return Err(Error::Usage(format!("--out {}: {problem}", out.display())));
    }
    let codes = read_rows(&args.codes, width, "a code of this run")?;
    let images = decoder.run(&codes)?;
    match columns.filter(|_| is_table) {
        Some(columns) => {
            let numbers: Vec<String> = (0..images.len() / features).map(|row| row.to_string()).collect();
            whole_file::write(&out, &columns.csv(&[("row", &numbers)], &images)?, "write the rows")?;
            args.run.wrote(&out);
        }
        None => {
            write_rows(&out, features, &images)?;
            args.run.wrote_array(&out, &[images.len() / features, features], "f32");
        }
    }
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
