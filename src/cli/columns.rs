//! The columns of a table, as they are told of on the terminal.

use gpu_ae::data::columns::ColumnError;
use gpu_ae::report::format_number;

use super::terminal::table;

/// The errors of columns as a table, those with the largest shares of the squared error first, at most so many.
pub fn column_errors(errors: &[ColumnError], most: usize) -> String {
    let percents = |share: f64| format!("{:.1}%", 100.0 * share);
    let row = |error: &ColumnError| {
        vec![
            error.column.clone(),
            error.rmse.map_or("-".into(), format_number),
            error.wrong.map_or("-".into(), percents),
            percents(error.share),
        ]
    };
    let mut rows: Vec<Vec<String>> = errors.iter().take(most).map(row).collect();
    if errors.len() > most {
        rows.push(vec![format!("and {} more", errors.len() - most)]);
    }
    table(&["column", "RMSE", "wrong words", "of the error"], &rows)
}
