//! `--explain`: where the errors of the oddest rows are.

use std::path::Path;

use gpu_ae::Result;
use gpu_ae::data::ImageShape;
use gpu_ae::report::{Strip, format_number, image_sheet, write_png};

use super::Row;
use super::drawn::score_of;
use super::odd::{Odd, shown, squares};
use crate::cli::pictures::COLUMNS;
use crate::cli::pictures::colours::{glow, in_colour};
use crate::cli::terminal::table;
use crate::cli::trained::Trained;

/// The images with the largest errors, each over its reconstruction and the squared error of every pixel, on one scale.
pub fn draw(path: &Path, trained: &mut Trained, scores: &[f32], order: &[usize]) -> Result<()> {
    let test = trained.data.test.only(&order[..COLUMNS.min(order.len())]);
    let (encoding, image) = (trained.data.encoding.clone(), trained.data.image());
    let headings: Vec<String> =
        order.iter().take(test.rows).map(|&row| score_of(&trained.data, row, scores[row])).collect();
    let (mut strips, mut most) = (Vec::new(), 0.0);
    trained.reconstructed(&test, |_, x, y| {
        let errors = squares(image, x, y);
        most = errors.iter().copied().fold(0.0, f64::max);
        let coloured: Vec<f32> =
            errors.iter().flat_map(|error| glow(if most > 0.0 { (error / most) as f32 } else { 0.0 })).collect();
        let pixels = |values: &[f32]| in_colour(&encoding.shown(values), image.channels);
        let strip = |caption: &str, pixels| Strip { caption: caption.into(), headings: Vec::new(), pixels };
        strips.push(Strip { headings: headings.clone(), ..strip("largest error", pixels(x)) });
        strips.push(strip("reconstruction", pixels(y)));
        strips.push(strip("squared error", coloured));
        Ok(())
    })?;
    let most = format_number(most);
    let title = format!(
        "Where the test images of {} with the largest errors are odd: the squared error of each pixel from 0, black, over red and \
         yellow to {most}, white, the largest of all of them",
        trained.data.name
    );
    write_png(path, &image_sheet(&title, &strips, ImageShape { channels: 3, ..image }, &[])?)
}

/// The columns of the oddest rows that are not as they were expected, a line each.
pub fn listed(rows: &[Row]) -> String {
    let mut lines = Vec::new();
    for row in rows {
        let Odd::Columns { odd_columns } = &row.what else { continue };
        let class = row.class.clone().unwrap_or_default();
        let head = [row.row.to_string(), row.name.clone(), class, format_number(row.error.into())];
        for column in odd_columns {
            let share = format!("{:.1}%", 100.0 * column.share);
            let [value, expected] = [&column.value, &column.expected].map(|cell| shown(cell).to_string());
            let cells = [column.column.clone(), value, expected, share];
            lines.push(head.iter().cloned().chain(cells).collect());
        }
    }
    table(&["row", "name", "class", "error", "column", "value", "expected", "of the error"], &lines)
}
