//! `gpu-ae encode`

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use gpu_ae::data::format::npy::{read_rows, write_labels, write_rows};
use gpu_ae::model::part::Part;
use gpu_ae::train::RunDir;
use gpu_ae::{Error, Result};
use serde::Serialize;

use crate::cli::output::{array_name, say_json};
use crate::cli::trained::RunFlags;

#[derive(clap::Args)]
#[command(after_help = "Example:
  gpu-ae encode runs/NAME --out codes.npy --labels labels.npy
  python -c \"import numpy; print(numpy.load('codes.npy').shape)\"")]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Rows to encode
    #[arg(long, value_enum, default_value_t = Rows::Test)]
    split: Rows,
    /// Encode these images instead: a .npy file of floats from 0 to 1, [rows, values] or [rows, height, width]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["split", "labels"])]
    input: Option<PathBuf>,
    /// File of the codes, f32 [rows, width of the code]; of a variational model their means [default: RUN/codes.npy]
    #[arg(long, value_name = "FILE", value_parser = array_name)]
    out: Option<PathBuf>,
    /// Also write the classes of the rows, u8 [rows]
    #[arg(long, value_name = "FILE", value_parser = array_name)]
    labels: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Rows {
    Train,
    Test,
}

#[derive(Serialize)]
struct Encoded {
    rows: usize,
    width: usize,
    out: PathBuf,
    labels: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<()> {
    if let Some(labels) = args.labels.as_ref().filter(|labels| args.out.as_ref() == Some(labels)) {
        return Err(Error::Usage(format!("--labels {}: is the file of --out too", labels.display())));
    }
    let (directory, width, codes) = match &args.input {
        Some(path) => encode_file(&args, path)?,
        None => {
            let mut trained = args.run.open_any(args.json)?;
            let split = match args.split {
                Rows::Train => &trained.data.train,
                Rows::Test => &trained.data.test,
            };
            if let Some(path) = &args.labels {
                write_labels(path, &split.labels)?;
            }
            let codes = trained.session.encode(&split.values(0..split.rows))?;
            (trained.directory, trained.config.code_width(), codes)
        }
    };
    let out = args.out.unwrap_or_else(|| directory.path().join("codes.npy"));
    write_rows(&out, width, &codes)?;
    if args.json {
        return say_json(&Encoded { rows: codes.len() / width, width, out, labels: args.labels });
    }
    let rows = codes.len() / width;
    args.run.wrote_array(&out, &[rows, width], "f32");
    args.labels.iter().for_each(|labels| args.run.wrote_array(labels, &[rows], "u8"));
    Ok(())
}

/// The codes of the rows of a file, which are all the data there need be.
fn encode_file(args: &Args, path: &Path) -> Result<(RunDir, usize, Vec<f32>)> {
    let (directory, _, mut encoder) = args.run.open_part(Part::Encode, args.json)?;
    let [features, width] = encoder.widths();
    let rows = read_rows(path, features, "an image with values from 0 to 1")?;
    if let Some(place) = rows.iter().position(|value| !(0.0..=1.0).contains(value)) {
        let (row, value) = (place / features, rows[place]);
        return Err(Error::input(path, format!("row {row} has the value {value}, expected 0 to 1")));
    }
    Ok((directory, width, encoder.run(&rows)?))
}
