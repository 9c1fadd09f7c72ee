//! `gpu-ae reconstruct`

use std::path::{Path, PathBuf};

use gpu_ae::data::columns::{ColumnErrors, Columns};
use gpu_ae::device::wait;
use gpu_ae::report::write_png;
use gpu_ae::study::codes::Reconstructions;
use gpu_ae::{Error, Result};

use crate::cli::columns::column_errors;
use crate::cli::flags::whole;
use crate::cli::output::{is_of, picture_or_table_name, say};
use crate::cli::pictures::reconstruction_picture;
use crate::cli::trained::{RunFlags, Trained};
use crate::cli::written::{OF_EACH_ROW, Table, check_outputs, of_each_row};

/// Rows of a picture, if nothing is said and at most.
const DRAWN: [u32; 2] = [64, 4096];

#[derive(clap::Args)]
#[command(
    after_help = "Of a table it writes a table in the same units and words: row, name and class, then each column beside what became of \
it, as 'size' and 'size (reconstructed)'. The error of each column is printed, the one with the largest share of the squared error first: of numbers \
the root of their mean squared error, of words the share of those that became another. A picture is drawn where --out ends in .png.

Example:
  gpu-ae reconstruct runs/NAME --data digits --images 32 --out digits.png
  gpu-ae reconstruct runs/NAME --data more-photos                    all its images, of the sizes of the run
  gpu-ae reconstruct runs/NAME --data flowers.csv --out again.csv"
)]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Picture to write, of a table's rows the table [default: RUN/reconstructions-<data>.png, of a table .csv]
    #[arg(long, value_name = "FILE", value_parser = picture_or_table_name)]
    out: Option<PathBuf>,
    /// Number of test rows, the first ones [default: 64; of a table: all]
    #[arg(long, visible_alias = "rows", value_name = "N", value_parser = whole(1..=u32::MAX), allow_negative_numbers = true)]
    images: Option<u32>,
    /// Put noise on the rows first: gaussian=0.3, masking=0.3 or salt-pepper=0.3 [default: that of the training]
    #[arg(long, value_name = "NOISE=AMOUNT")]
    noise: Option<String>,
}

pub fn run(args: Args) -> Result<()> {
    let mut trained = args.run.open_under(args.noise.as_deref())?;
    let columns = trained.data.encoding.columns.clone();
    let ending = if columns.is_some() { "csv" } else { "png" };
    let default = || trained.directory.path().join(format!("reconstructions-{}.{ending}", trained.data.name));
    let path = args.out.clone().unwrap_or_else(default);
    check_outputs(&trained.config, &[], &[("--out", &path)])?;
    let is_table = is_of(&path, "csv");
    match columns.filter(|_| is_table) {
        Some(columns) => {
            let rows = args.images.map_or(trained.data.test.rows, |rows| rows as usize);
            let reconstructions = wait(trained.session.reconstruct(rows))?;
            write_table(&path, &trained, &columns, &reconstructions)?;
            if !args.run.quiet {
                let mut errors = ColumnErrors::new(&columns);
                errors.add(&reconstructions.originals, &reconstructions.outputs);
                say(&column_errors(&errors.finish(), usize::MAX));
            }
        }
        None if is_table => {
            let problem = format!("{} is no table, expected a name that ends in .png", trained.data.name);
            return Err(Error::Usage(format!("--out {}: {problem}", path.display())));
        }
        None => {
            let rows = args.images.unwrap_or(DRAWN[0]);
            if rows > DRAWN[1] {
                return Err(Error::Usage(format!("--images {rows}: expected 1 to {} of a picture", DRAWN[1])));
            }
            let reconstructions = wait(trained.session.reconstruct(rows as usize))?;
            write_png(&path, &reconstruction_picture(&reconstructions, &trained.data.encoding, &trained.data.name)?)?;
        }
    }
    args.run.wrote(&path);
    Ok(())
}

/// Every column of the rows beside what became of it.
fn write_table(path: &Path, trained: &Trained, columns: &Columns, found: &Reconstructions) -> Result<()> {
    let (test, encoding) = (&trained.data.test, &trained.data.encoding);
    let pairs = columns.headings().into_iter().flat_map(|name| [name.to_string(), format!("{name} (reconstructed)")]);
    let mut table = Table::new(OF_EACH_ROW.map(String::from).into_iter().chain(pairs))?;
    let width = columns.width().max(1);
    for (row, (x, y)) in found.originals.chunks_exact(width).zip(found.outputs.chunks_exact(width)).enumerate() {
        let (before, after) = (columns.decode(x), columns.answers(y));
        let cells = before.iter().flatten().zip(after.iter().flatten());
        let cells = cells.flat_map(|(before, after)| [before.to_string(), after.to_string()]);
        table.push(of_each_row(test, encoding, row).into_iter().chain(cells))?;
    }
    table.write(path, "write the reconstructions")
}
