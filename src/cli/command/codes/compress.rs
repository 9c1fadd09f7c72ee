//! `gpu-ae compress`

use std::path::{Path, PathBuf};

use gpu_ae::coding::file::Written;
use gpu_ae::model::part::Part;
use gpu_ae::report::format_number;
use gpu_ae::study::lone_part::LonePart;
use gpu_ae::train::Tuning;
use gpu_ae::{Error, Result, whole_file};
use serde::Serialize;

use super::chosen::{Side, chosen, rows_of, side_of};
use super::picture;
use crate::cli::flags::{check_width, open_device, whole};
use crate::cli::output::{codes_name, say, say_json};
use crate::cli::terminal::table;
use crate::cli::trained::RunFlags;
use crate::cli::written::check_outputs;

#[derive(clap::Args)]
#[command(
    after_help = "Of a run with [rate], whose codes are whole numbers. The file has them by the probabilities that the network has learnt, side codes of a \
hyperprior first, with a checksum for every block; any machine and device reads the same numbers out of it, and only with this very model.

Its size stands beside what the numbers are worth by the tables that they are coded with, with the side codes' share: the file adds what \
says which model, where blocks begin, and the checksums.

Example:
  gpu-ae train --model compressive --out runs/small
  gpu-ae compress runs/small --out codes.gae
  gpu-ae decompress runs/small codes.gae --out symbols.npy
  gpu-ae compress runs/small --data more-photos --out more.gae
  gpu-ae compress runs/pictures photo.png --out photo.gae     of a run of --model codec: one picture of any size"
)]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Compress this picture instead, whatever its size: PNG, JPEG, WebP, BMP, TIFF or GIF
    #[arg(conflicts_with_all = ["split", "input"])]
    picture: Option<PathBuf>,
    /// Longest side of the tiles that a picture is cut into, in pixels [default: as the images that the network was trained on]
    #[arg(long, value_name = "PIXELS", value_parser = whole(1_usize..=1024), requires = "picture", allow_negative_numbers = true)]
    tile: Option<usize>,
    /// Rows to compress; all are the training, validation and test rows, in this order [default: test; of other data of one's own: all]
    #[arg(long, value_enum)]
    split: Option<Side>,
    /// Compress these rows instead, as the network sees them: a .npy file of floats, [rows, values] or [rows, height, width]
    #[arg(long, value_name = "FILE", conflicts_with = "split")]
    input: Option<PathBuf>,
    /// File of the codes: .gae
    #[arg(long, value_name = "FILE", value_parser = codes_name)]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What a file costs, and what it holds.
#[derive(Serialize)]
struct Compressed {
    rows: usize,
    /// Numbers of a row.
    symbols: usize,
    /// Numbers of its side code.
    side_symbols: usize,
    bytes: usize,
    bits_per_dim: f64,
    bits_per_row: f64,
    /// By the tables, side codes among them, as in the two above.
    estimated_bytes: f64,
    estimated_bits_per_dim: f64,
    estimated_bits_per_row: f64,
    /// The side codes' share of that.
    side_bits_per_dim: f64,
    side_bits_per_row: f64,
    model: String,
    out: PathBuf,
}

pub fn run(args: Args) -> Result<()> {
    let quiet = args.run.quiet || args.json;
    let (checkpoint, code) = args.run.open_code(quiet)?;
    let input: Vec<&Path> = args.input.iter().chain(&args.picture).map(PathBuf::as_path).collect();
    check_outputs(&checkpoint.config, &input, &[("--out", &args.out)])?;
    if let Some(picture) = &args.picture {
        if let Some(data) = &args.run.data.data {
            let problem = format!("--data {data}: expected a picture, {}, or other data, not both", picture.display());
            return Err(Error::Usage(problem));
        }
        return picture::compress(&args.run, &checkpoint, picture, args.tile, args.out, args.json);
    }
    let device = open_device(&checkpoint.config.device, quiet)?;
    let choices = Tuning::or_static(checkpoint.tuning.as_ref(), device.as_ref());
    let mut part = LonePart::open(device, &checkpoint, &choices, Part::Symbols)?;
    let written = match &args.input {
        Some(path) => {
            let rows = rows_of(path, part.widths()[0], &checkpoint)?;
            code.compress(&mut part, (&checkpoint, &choices), |part| part.run(&rows))?
        }
        None => {
            let data = checkpoint.config.load_data_as(checkpoint.encoding.as_ref())?;
            check_width(&checkpoint, &data)?;
            let splits = chosen(&data, side_of(&args.run, args.split)?)?;
            code.compress(&mut part, (&checkpoint, &choices), |part| {
                let parts = splits.iter().map(|split| part.run_split(split));
                Ok(parts.collect::<Result<Vec<_>>>()?.concat())
            })?
        }
    };
    whole_file::write(&args.out, &written.bytes, "write the codes")?;
    let Written { bytes, rows, bits, side_bits } = written;
    let (bytes, symbols, estimated) = (bytes.len(), code.symbols(), bits + side_bits);
    // A sum of nothing is −0.
    let per_row = |bits: f64| bits / rows.max(1) as f64 + 0.0;
    let per_dim = |bits: f64| per_row(bits) / symbols as f64;
    let actual = 8.0 * bytes as f64;
    let compressed = Compressed {
        rows,
        symbols,
        side_symbols: code.side_symbols(),
        bytes,
        bits_per_dim: per_dim(actual),
        bits_per_row: per_row(actual),
        estimated_bytes: estimated / 8.0,
        estimated_bits_per_dim: per_dim(estimated),
        estimated_bits_per_row: per_row(estimated),
        side_bits_per_dim: per_dim(side_bits),
        side_bits_per_row: per_row(side_bits),
        model: code.identity().to_string(),
        out: args.out,
    };
    if args.json {
        return say_json(&compressed);
    }
    if !args.run.quiet {
        tell(&compressed);
        args.run.wrote(&compressed.out);
    }
    Ok(())
}

/// Prints what a file costs.
fn tell(it: &Compressed) {
    let side = if it.side_symbols > 0 { format!(", and a side code of {}", it.side_symbols) } else { String::new() };
    say(&format!("{} rows of {} whole numbers{side}", it.rows, it.symbols));
    let line = |what: &str, bytes: f64, per_dim: f64, per_row: f64| {
        vec![what.to_string(), format!("{bytes:.0}"), format!("{per_dim:.4}"), format_number(per_row)]
    };
    let mut lines = vec![
        line("file", it.bytes as f64, it.bits_per_dim, it.bits_per_row),
        line("by the tables", it.estimated_bytes, it.estimated_bits_per_dim, it.estimated_bits_per_row),
    ];
    if it.side_symbols > 0 {
        let bytes = it.side_bits_per_row * it.rows as f64 / 8.0;
        lines.push(line("of that side codes", bytes, it.side_bits_per_dim, it.side_bits_per_row));
    }
    say(&table(&["", "bytes", "bits a number", "bits a row"], &lines));
}
