//! The picture of the rows with the largest and the smallest errors.

use std::path::Path;

use gpu_ae::Result;
use gpu_ae::data::Dataset;
use gpu_ae::data::columns::Columns;
use gpu_ae::device::wait;
use gpu_ae::report::{Strip, brief, image_sheet, write_png};

use crate::cli::pictures::{COLUMNS, table as columns_of};
use crate::cli::trained::Trained;

/// Most characters of a class's name above an image, and in one line with the error.
const NAME: usize = 12;
const SHORT: usize = 2;
/// Most characters of a row's name beside what is odd in it.
const ROW_NAME: usize = 24;

/// What stands above a test row in a picture: its class, if it has one, and its error.
pub fn score_of(data: &Dataset, row: usize, score: f32) -> String {
    // Without the zero before the point four digits fit over an image.
    let score = format!("{score:.4}").trim_start_matches('0').to_string();
    match data.test.labels.get(row) {
        Some(&class) => match data.encoding.class_name(class) {
            name if name.chars().count() <= SHORT => format!("{name}: {score}"),
            name => format!("{}\n{score}", brief(name, NAME)),
        },
        None => score,
    }
}

/// The images with the largest scores and those with the smallest, each over its reconstruction.
pub fn draw(path: &Path, trained: &mut Trained, scores: &[f32], order: &[usize]) -> Result<()> {
    let count = COLUMNS.min(order.len());
    let largest = order[..count].to_vec();
    if let Some(columns) = trained.data.encoding.columns.clone() {
        return draw_columns(path, trained, &columns, &largest);
    }
    let smallest: Vec<usize> = order.iter().rev().take(count).copied().collect();
    let mut strips = Vec::new();
    for (caption, rows) in [("largest error", largest), ("smallest error", smallest)] {
        let test = &trained.data.test;
        let headings = rows.iter().map(|&row| score_of(&trained.data, row, scores[row])).collect();
        let originals: Vec<f32> = rows.iter().flat_map(|&row| test.values(row..row + 1)).collect();
        let codes = wait(trained.session.encode(&originals))?;
        let reconstructions = wait(trained.session.decode(&codes))?;
        let encoding = &trained.data.encoding;
        let [originals, reconstructions] = [&originals, &reconstructions].map(|values| encoding.shown(values));
        strips.push(Strip { caption: caption.into(), headings, pixels: originals });
        strips.push(Strip { caption: "reconstruction".into(), headings: Vec::new(), pixels: reconstructions });
    }
    let what = trained.data.encoding.words()[1];
    let headed = if trained.data.test.is_labelled() { "its class and error" } else { "its error" };
    let title = format!("Test {what} of {} by their errors, each headed by {headed}", trained.data.name);
    write_png(path, &image_sheet(&title, &strips, trained.data.image(), &[])?)
}

/// The rows of a table with the largest scores, and which columns those come from.
fn draw_columns(path: &Path, trained: &mut Trained, columns: &Columns, rows: &[usize]) -> Result<()> {
    let data = &trained.data;
    let name = |row: &usize| match data.test.labels.get(*row) {
        Some(&class) => {
            format!("{}: {}", brief(&data.test.name(*row), ROW_NAME), brief(data.encoding.class_name(class), ROW_NAME))
        }
        None => brief(&data.test.name(*row), ROW_NAME).into_owned(),
    };
    let names = rows.iter().map(name).collect();
    let originals: Vec<f32> = rows.iter().flat_map(|&row| data.test.values(row..row + 1)).collect();
    let title = format!("Squared errors by column of the test rows of {} whose errors are largest", data.name);
    let codes = wait(trained.session.encode(&originals))?;
    let reconstructions = wait(trained.session.decode(&codes))?;
    write_png(path, &columns_of::row_errors(&title, columns, &originals, &reconstructions, names)?)
}
