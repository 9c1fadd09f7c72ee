//! `gpu-ae traverse`

use std::path::PathBuf;

use gpu_ae::Result;
use gpu_ae::data::columns::Columns;
use gpu_ae::device::wait;
use gpu_ae::report::{Heat, Strip, format_number, heat_picture, image_sheet, write_png};
use gpu_ae::study::codes::into_range;
use image::RgbImage;
use serde::Serialize;

use crate::cli::flags::whole;
use crate::cli::output::{say, say_json};
use crate::cli::pictures::picture_name;
use crate::cli::pictures::table::Chosen;
use crate::cli::terminal::table;
use crate::cli::trained::{RunFlags, Trained};

/// How far a dimension is moved to both sides, in its standard deviations, and images on the way.
const FAR: f32 = 3.0;
const STEPS: usize = 13;
/// Test rows that mean and deviation of the codes are taken from.
const ROWS: usize = 10_000;

#[derive(clap::Args)]
#[command(
    after_help = "A row of the picture moves one dimension of the code from -3 to +3 of its standard deviations over the \
test data, all others staying where they are. Dimensions are numbered from 1, as test_kl_1 in metrics.jsonl. Those that change the image most come first; one that the network does not \
use changes nothing. Of a table, a row of the picture shows how far each column moves from one end to the other, in its deviations in the training rows.

Example:
  gpu-ae traverse runs/NAME --row 7 --dimensions 10 --out dimensions-of-row-7.png
  gpu-ae traverse runs/NAME --data more-photos --row 0"
)]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Start from the code of this test row [default: the mean code]
    #[arg(long, value_name = "I", value_parser = whole(0..=usize::MAX), allow_negative_numbers = true)]
    row: Option<usize>,
    /// Dimensions to draw, those that matter most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = whole(1..=300u32),
        allow_negative_numbers = true)]
    dimensions: u32,
    /// Picture to write [default: RUN/traversal.png]
    #[arg(long, value_name = "FILE", value_parser = picture_name)]
    out: Option<PathBuf>,
    /// Print what each dimension does as one JSON array
    #[arg(long)]
    json: bool,
}

/// What is said of one dimension.
#[derive(Serialize)]
struct Dimension {
    /// Its number, from 1.
    dimension: usize,
    mean: f64,
    deviation: f64,
    /// Mean squared difference of the drawn images from that in the middle, per pixel.
    effect: f64,
    #[serde(skip)]
    pixels: Vec<f32>,
}

pub fn run(args: Args) -> Result<()> {
    let mut trained = args.run.open(args.json)?;
    let width = trained.config.code_width();
    let test = &trained.data.test;
    let rows = test.rows.min(ROWS);
    let codes = wait(trained.session.encode(&test.values(0..rows)))?;
    let column = |i: usize| codes.iter().skip(i).step_by(width).map(|&value| f64::from(value));
    let mean: Vec<f64> = (0..width).map(|i| column(i).sum::<f64>() / rows as f64).collect();
    let variance = |i: usize| column(i).map(|value| (value - mean[i]).powi(2)).sum::<f64>() / rows as f64;
    let deviation: Vec<f64> = (0..width).map(|i| variance(i).sqrt()).collect();
    let middle: Vec<f32> = match args.row {
        Some(row) => {
            let row = trained.test_row("--row", row)?;
            wait(trained.session.encode(&row))?
        }
        None => mean.iter().map(|&value| value as f32).collect(),
    };
    let images = moved(&mut trained, &middle, &deviation)?;
    let features = trained.data.test.width;
    let dimension = |(i, pixels): (usize, &[f32])| {
        let own = &pixels[STEPS / 2 * features..][..features];
        let squares = pixels.chunks_exact(features).flat_map(|image| image.iter().zip(own));
        let sum: f64 = squares.map(|(value, own)| f64::from(value - own).powi(2)).sum();
        let effect = sum / (STEPS * features) as f64;
        Dimension { dimension: i + 1, mean: mean[i], deviation: deviation[i], effect, pixels: pixels.to_vec() }
    };
    let mut dimensions: Vec<Dimension> = images.chunks_exact(STEPS * features).enumerate().map(dimension).collect();
    dimensions.sort_by(|a, b| b.effect.total_cmp(&a.effect));

    let shown = &dimensions[..dimensions.len().min(args.dimensions as usize)];
    let middle = args.row.map_or("the mean code".to_string(), |row| format!("the code of test row {row}"));
    let picture = match &trained.data.encoding.columns {
        Some(columns) => heat_of(columns, shown, &middle)?,
        None => sheet_of(&trained, shown, &middle)?,
    };
    let path = args.out.unwrap_or_else(|| trained.directory.path().join("traversal.png"));
    write_png(&path, &picture)?;
    if args.json {
        return say_json(&dimensions);
    }
    if !args.run.quiet {
        let numbers = |d: &Dimension| [d.mean, d.deviation, d.effect].map(format_number);
        let row = |d: &Dimension| [&[d.dimension.to_string()][..], &numbers(d)].concat();
        let rows: Vec<Vec<String>> = shown.iter().map(row).collect();
        say(&table(&["code", "mean", "deviation", "effect"], &rows));
    }
    args.run.wrote(&path);
    Ok(())
}

/// A row of images for each of these dimensions.
fn sheet_of(trained: &Trained, dimensions: &[Dimension], middle: &str) -> Result<RgbImage> {
    let strip = |(place, dimension): (usize, &Dimension)| Strip {
        caption: format!("code {}", dimension.dimension),
        headings: if place == 0 { headings() } else { Vec::new() },
        pixels: trained.data.encoding.shown(&dimension.pixels),
    };
    let strips: Vec<Strip> = dimensions.iter().enumerate().map(strip).collect();
    let title = format!("Dimensions of the code, moved by standard deviations from {middle}");
    image_sheet(&title, &strips, trained.data.image(), &[])
}

/// Of each of these dimensions, how far it moves each value of a row of a table from one end to the other.
fn heat_of(columns: &Columns, dimensions: &[Dimension], middle: &str) -> Result<RgbImage> {
    let width = columns.width();
    let change = |dimension: &Dimension| -> Vec<f32> {
        let [first, last] = [0, STEPS - 1].map(|step| &dimension.pixels[step * width..][..width]);
        first.iter().zip(last).map(|(first, last)| last - first).collect()
    };
    let changes: Vec<f32> = dimensions.iter().flat_map(change).collect();
    let largest = |place: usize| {
        changes.iter().skip(place).step_by(width.max(1)).fold(0.0, |most: f64, x| most.max(f64::from(x.abs())))
    };
    let chosen = Chosen::heaviest(&columns.value_names(), &(0..width).map(largest).collect::<Vec<f64>>());
    let heat = Heat {
        rows: dimensions.iter().map(|dimension| format!("code {}", dimension.dimension)).collect(),
        values: chosen.of_rows(&changes, width),
        columns: chosen.names,
        ..Heat::default()
    };
    let of = chosen.of;
    let title = format!(
        "How far each dimension of the code, moved from -{FAR} to +{FAR} of its deviations around {middle}, moves the values \
         of a row{of}: numbers in deviations of the training rows, words as shares"
    );
    heat_picture(&title, &[heat])
}

/// The images of a code of which one dimension after the other is moved: `[dimensions, STEPS, values]`.
fn moved(trained: &mut Trained, middle: &[f32], deviation: &[f64]) -> Result<Vec<f32>> {
    let mut codes = middle.repeat(STEPS * middle.len());
    for (dimension, codes) in codes.chunks_exact_mut(STEPS * middle.len()).enumerate() {
        for (code, offset) in codes.chunks_exact_mut(middle.len()).zip(offsets()) {
            code[dimension] += offset * deviation[dimension] as f32;
        }
    }
    into_range(&trained.config, &mut codes);
    wait(trained.session.decode(&codes))
}

/// Standard deviations from the middle, one an image.
fn offsets() -> impl Iterator<Item = f32> {
    // Products before quotients, so that the whole ones come out whole.
    let middle = (STEPS / 2) as f32;
    (0..STEPS).map(move |step| FAR * (step as f32 - middle) / middle)
}

/// The whole ones of them in words.
fn headings() -> Vec<String> {
    let heading = |offset: f32| match offset {
        0.0 => "0".into(),
        whole if whole.fract() == 0.0 => {
            format!("{}{}\u{3c3}", if whole < 0.0 { '\u{2212}' } else { '+' }, whole.abs())
        }
        _ => String::new(),
    };
    offsets().map(heading).collect()
}
