//! `gpu-ae data preview`

use std::path::PathBuf;

use gpu_ae::Result;
use gpu_ae::data::{Dataset, Split};
use gpu_ae::report::{Strip, image_sheet, write_png};

use super::info::Asked;
use crate::cli::flags::whole;
use crate::cli::output::say;
use crate::cli::pictures::picture_name;
use crate::cli::terminal::table;

/// Images side by side.
const COLUMNS: usize = 12;
/// Classes that are drawn.
const CLASSES: usize = 40;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    asked: Asked,
    /// Picture to write; a table is printed [default: preview.png]
    #[arg(long, value_name = "FILE", value_parser = picture_name)]
    out: Option<PathBuf>,
    /// Rows that are shown of data without classes
    #[arg(long, value_name = "N", default_value_t = 96, value_parser = whole(1..=4096u32), allow_negative_numbers = true)]
    images: u32,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let data = args.asked.load()?;
    if let Some(columns) = &data.encoding.columns {
        let rows = data.train.first(args.images.min(20) as usize);
        let cells = columns.decode(&rows.values(0..rows.rows));
        let cells: Vec<Vec<String>> = cells.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect();
        say(&table(&columns.headings(), &cells));
        return Ok(());
    }
    let path = args.out.clone().unwrap_or_else(|| "preview.png".into());
    let strips = strips(&data, args.images as usize);
    let title = format!("Training rows of {}", data.name);
    write_png(&path, &image_sheet(&title, &strips, data.image(), &[])?)?;
    if !args.quiet {
        say(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// A strip of each class, or the first rows in strips without a name.
fn strips(data: &Dataset, count: usize) -> Vec<Strip> {
    let train = &data.train;
    let strip = |caption: String, rows: &[usize]| {
        let pixels = rows.iter().flat_map(|&row| train.values(row..row + 1)).collect::<Vec<f32>>();
        Strip { caption, headings: Vec::new(), pixels: data.encoding.shown(&pixels) }
    };
    if !train.is_labelled() {
        let rows: Vec<usize> = (0..count.min(train.rows)).collect();
        return rows.chunks(COLUMNS).map(|rows| strip(String::new(), rows)).collect();
    }
    let classes = train.classes();
    let drawn = classes.iter().take(CLASSES);
    drawn.map(|&class| strip(data.encoding.class_name(class).to_string(), &of_class(train, class))).collect()
}

/// The first rows of a class.
fn of_class(split: &Split, class: u16) -> Vec<usize> {
    let rows = split.labels.iter().enumerate().filter(|(_, label)| **label == class);
    rows.map(|(row, _)| row).take(COLUMNS).collect()
}
