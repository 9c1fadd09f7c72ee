//! `gpu-ae encode`

use std::path::{Path, PathBuf};

use gpu_ae::data::format::npy::{write_labels, write_rows};
use gpu_ae::data::{Dataset, Split};
use gpu_ae::model::part::Part;
use gpu_ae::{Error, Result};
use serde::Serialize;

use super::chosen::{Side, chosen, rows_of, side_of};
use crate::cli::flags::check_width;
use crate::cli::output::{array_name, array_or_table_name, is_of, say, say_json, table_name};
use crate::cli::trained::RunFlags;
use crate::cli::written::{OF_EACH_ROW, Table, check_outputs, of_each_row};

#[derive(clap::Args)]
#[command(after_help = "Example:
  gpu-ae encode runs/NAME --out codes.npy --labels labels.npy
  python -c \"import numpy; print(numpy.load('codes.npy').shape)\"
  gpu-ae encode runs/NAME --data photos --out codes.csv       a line for each file: row, name, class, code_1, ...
  gpu-ae encode runs/NAME --data photos --names names.csv     the array, and beside it what its rows are called")]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Rows to encode; all are the training, validation and test rows, in this order [default: test; of other data of one's own: all]
    #[arg(long, value_enum)]
    split: Option<Side>,
    /// Encode these rows instead, as the network sees them: a .npy file of floats, [rows, values] or [rows, height, width]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["split", "labels", "names"])]
    input: Option<PathBuf>,
    /// File of the codes, of a variational model their means: .npy, f32 [rows, width of the code], or .csv with the name and class of each row [default: RUN/codes.npy]
    #[arg(long, value_name = "FILE", value_parser = array_or_table_name)]
    out: Option<PathBuf>,
    /// Also write the classes of the rows, u8 [rows], of more than 256 classes u16
    #[arg(long, value_name = "FILE", value_parser = array_name)]
    labels: Option<PathBuf>,
    /// Also write a table of what the rows are called: row, name, class
    #[arg(long, value_name = "FILE", value_parser = table_name)]
    names: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Encoded {
    rows: usize,
    width: usize,
    out: PathBuf,
    labels: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<()> {
    let (directory, checkpoint, mut encoder) = args.run.open_part(Part::Encode, args.json)?;
    let [features, width] = encoder.widths();
    let out = args.out.clone().unwrap_or_else(|| directory.path().join("codes.npy"));
    let mut outputs = vec![("--out", out.as_path())];
    outputs.extend(args.labels.iter().map(|path| ("--labels", path.as_path())));
    outputs.extend(args.names.iter().map(|path| ("--names", path.as_path())));
    let input: Vec<&Path> = args.input.iter().map(PathBuf::as_path).collect();
    check_outputs(&checkpoint.config, &input, &outputs)?;
    let mut has_names = false;
    let codes = match &args.input {
        Some(path) => {
            let codes = encoder.run(&rows_of(path, features, &checkpoint)?)?;
            if is_of(&out, "csv") {
                let unnamed = |row: usize| [row.to_string(), row.to_string(), String::new()];
                write_table(&out, width, &codes, unnamed)?;
            }
            codes
        }
        None => {
            let data = checkpoint.config.load_data_as(checkpoint.encoding.as_ref())?;
            check_width(&checkpoint, &data)?;
            let splits = chosen(&data, side_of(&args.run, args.split)?)?;
            has_names = splits.iter().any(|split| !split.names.is_empty());
            let labels = args.labels.as_ref().map(|path| Ok((path, labels(&data, &splits)?))).transpose()?;
            let mut codes = Vec::new();
            for split in &splits {
                codes.extend(encoder.run_split(split)?);
            }
            if let Some((path, labels)) = labels {
                write_labels(path, &labels)?;
            }
            let described = Described { data: &data, splits };
            if let Some(path) = &args.names {
                let mut table = Table::new(OF_EACH_ROW)?;
                (0..codes.len() / width).try_for_each(|row| table.push(described.row(row)))?;
                table.write(path, "write the names")?;
            }
            if is_of(&out, "csv") {
                write_table(&out, width, &codes, |row| described.row(row))?;
            }
            codes
        }
    };
    let is_table = is_of(&out, "csv");
    if !is_table {
        write_rows(&out, width, &codes)?;
    }
    let rows = codes.len() / width;
    if args.json {
        return say_json(&Encoded { rows, width, out, labels: args.labels, names: args.names });
    }
    if is_table {
        args.run.wrote(&out);
    } else {
        args.run.wrote_array(&out, &[rows, width], "f32");
    }
    args.labels.iter().for_each(|labels| args.run.wrote_array(labels, &[rows], "u8"));
    args.names.iter().for_each(|names| args.run.wrote(names));
    if has_names && !is_table && args.names.is_none() && !args.run.quiet {
        say("its rows have names, which --names FILE.csv or --out FILE.csv writes");
    }
    Ok(())
}

/// The classes of rows that all have one.
fn labels(data: &Dataset, splits: &[&Split]) -> Result<Vec<u16>> {
    if splits.iter().any(|split| split.labels.len() != split.rows) {
        return Err(Error::Usage(format!("--labels: the rows of {} have no classes", data.name)));
    }
    Ok(splits.iter().flat_map(|split| split.labels.iter().copied()).collect())
}

/// Rows of several sides, one behind the other.
struct Described<'a> {
    data: &'a Dataset,
    splits: Vec<&'a Split>,
}

impl Described<'_> {
    /// Number, name and class of a row.
    fn row(&self, row: usize) -> [String; 3] {
        let mut place = row;
        for split in &self.splits {
            if place < split.rows {
                let [_, name, class] = of_each_row(split, &self.data.encoding, place);
                return [row.to_string(), name, class];
            }
            place -= split.rows;
        }
        [row.to_string(), String::new(), String::new()]
    }
}

/// A line for each code, behind what its row is called.
fn write_table(path: &Path, width: usize, codes: &[f32], row: impl Fn(usize) -> [String; 3]) -> Result<()> {
    let numbered = (1..=width).map(|number| format!("code_{number}"));
    let mut table = Table::new(OF_EACH_ROW.map(String::from).into_iter().chain(numbered))?;
    for (number, code) in codes.chunks_exact(width.max(1)).enumerate() {
        table.push(row(number).into_iter().chain(code.iter().map(ToString::to_string)))?;
    }
    table.write(path, "write the codes")
}
