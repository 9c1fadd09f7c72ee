//! Tables on terminals that are narrower than they are.

use super::fold::folded;
use super::table::{Column, text_table};

/// Least columns for what stands beside a name in a block.
const NARROWEST: usize = 8;

/// [`text_table`], where no line is longer than `width` columns, or without a `width`. Else tables one below the other: each
/// has the first columns, as many of them as tell the rows apart, and as many of the others as fit. Where that is not
/// even one, or there are no headers, a block a row, a line a column, and words that do not fit go to the next line.
///
/// ```
/// use gpu_ae::report::fitted_table;
///
/// let rows = [vec!["1".into(), "32x784".into(), "97.5%".into()], vec!["2".into(), "8x32".into(), "0.0%".into()]];
/// assert_eq!(
///     fitted_table(&["layer", "weights", "zero"], &rows, Some(16)),
///     "layer  weights\n\
///      -----  -------\n    1  32x784\n    2  8x32\n\n\
///      layer   zero\n\
///      -----  -----\n    1  97.5%\n    2   0.0%\n"
/// );
/// ```
pub fn fitted_table(headers: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let whole = text_table(headers, rows);
    match width {
        Some(width) if whole.lines().any(|line| line.chars().count() > width) => {
            let fitted = stacked(headers, rows, width);
            fitted.unwrap_or_else(|| if headers.is_empty() { pairs(rows, width) } else { blocks(headers, rows, width) })
        }
        _ => whole,
    }
}

/// Number of columns, from the first on, that no two rows have in common; 1 where even all do not tell them apart.
fn keys(rows: &[Vec<String>], columns: usize) -> usize {
    let distinct = |keys: &usize| {
        let mut names: Vec<&[String]> = rows.iter().map(|row| &row[..row.len().min(*keys)]).collect();
        names.sort_unstable();
        names.windows(2).all(|pair| pair[0] != pair[1])
    };
    (1..columns).find(distinct).unwrap_or(1)
}

/// Tables with some of the columns each; none if there is a column that does not fit beside the first.
fn stacked(headers: &[&str], rows: &[Vec<String>], width: usize) -> Option<String> {
    // Rows may have more cells than there are headers.
    let count = rows.iter().map(Vec::len).chain([headers.len()]).max()?;
    let widths: Vec<usize> = (0..count).map(|index| Column::measure(headers, rows, index).width).collect();
    let keys = keys(rows, count);
    let fixed: usize = widths.iter().take(keys).map(|width| width + 2).sum();
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut taken = usize::MAX;
    for (index, own) in widths.iter().enumerate().skip(keys) {
        if fixed + own > width {
            return None;
        }
        if taken.saturating_add(2 + own) > width {
            parts.push((0..keys).collect());
            taken = fixed - 2;
        }
        taken += 2 + own;
        parts.last_mut()?.push(index);
    }
    let part = |columns: &Vec<usize>| {
        let headers: Vec<&str> = columns.iter().map(|&index| headers.get(index).copied().unwrap_or("")).collect();
        let cell = |row: &Vec<String>, index: &usize| row.get(*index).cloned().unwrap_or_default();
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| columns.iter().map(|index| cell(row, index)).collect()).collect();
        text_table(&headers, &rows)
    };
    (!parts.is_empty()).then(|| parts.iter().map(part).collect::<Vec<_>>().join("\n"))
}

/// A block a row.
fn blocks(headers: &[&str], rows: &[Vec<String>], width: usize) -> String {
    let block = |row: &Vec<String>| {
        let header = |index: usize| headers.get(index).map_or(String::new(), ToString::to_string);
        let cells = row.iter().enumerate().map(|(index, cell)| (header(index), cell.clone()));
        named(&cells.collect::<Vec<_>>(), width)
    };
    rows.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// Rows whose first cells are their names.
fn pairs(rows: &[Vec<String>], width: usize) -> String {
    let cells = rows.iter().map(|row| (row.first().cloned().unwrap_or_default(), row[row.len().min(1)..].join("  ")));
    named(&cells.collect::<Vec<_>>(), width)
}

/// Names and what stands beside them, in as many lines as that takes.
fn named(cells: &[(String, String)], width: usize) -> String {
    let names = cells.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let room = width.saturating_sub(names + 2).max(NARROWEST);
    let mut text = String::new();
    for (name, value) in cells {
        for (number, line) in folded(value, |line| line.chars().count() <= room).iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            text.push_str(format!("{name:<names$}  {line}").trim_end());
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(cells: &[&[&str]]) -> Vec<Vec<String>> {
        cells.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect()
    }

    /// The longest line.
    fn longest(table: &str) -> usize {
        table.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    }

    const HEADERS: [&str; 12] = [
        "layer",
        "weights",
        "mean |w|",
        "zero",
        "H in",
        "width in",
        "H out",
        "width out",
        "H product",
        "width",
        "width by paths",
        "active",
    ];

    #[test]
    fn a_wide_table_is_several_narrow_ones_that_lack_nothing() {
        // One more cell than there are headers.
        let layer: Vec<String> = (0..13).map(|column| format!("{column}.2345")).collect();
        let layers: Vec<Vec<String>> =
            (1..=3).map(|number: usize| [&[number.to_string()][..], &layer[1..]].concat()).collect();
        assert_eq!(fitted_table(&HEADERS, &layers, None), text_table(&HEADERS, &layers));
        assert_eq!(fitted_table(&HEADERS, &layers, Some(200)), text_table(&HEADERS, &layers));
        for (width, tables) in [(80, 2), (50, 3)] {
            let table = fitted_table(&HEADERS, &layers, Some(width));
            assert!(longest(&table) <= width, "{table}");
            assert_eq!(table.lines().filter(|line| line.starts_with("layer  ")).count(), tables, "{table}");
            for header in &HEADERS[1..] {
                assert!(table.contains(header), "{header} is missing at {width}:\n{table}");
            }
            assert!((1..13).all(|column| table.matches(&format!(" {column}.2345")).count() >= 3), "{table}");
        }
    }

    #[test]
    fn rows_keep_what_tells_them_apart() {
        let studies = rows(&[&["plain", "alpha=1", "0.0211", "12.5"], &["plain", "alpha=2", "0.0302", "8.0"]]);
        let table = fitted_table(&["study", "point", "test mse", "width"], &studies, Some(25));
        assert_eq!(table.matches("plain  alpha=2").count(), 2, "{table}");
        assert!(longest(&table) <= 25, "{table}");
    }

    #[test]
    fn what_no_column_has_room_for_is_a_block_a_row() {
        let about = "handwritten digits of 28 x 28 pixels, 60,000 to train on and 10,000 to test";
        let sets = rows(&[&["mnist", about], &["digits", "built in"]]);
        let table = fitted_table(&["--data", "what"], &sets, Some(50));
        assert_eq!(
            table,
            "--data  mnist\n\
             what    handwritten digits of 28 x 28 pixels,\n        60,000 to train on and 10,000 to test\n\
             \n\
             --data  digits\n\
             what    built in\n"
        );
        let facts = rows(&[&["arithmetic", "1.25 MFLOP a sample"], &["loss", "mse"]]);
        assert_eq!(
            fitted_table(&[], &facts, Some(24)),
            "arithmetic  1.25 MFLOP a\n            sample\nloss        mse\n"
        );
        assert!(longest(&fitted_table(&["--data", "what"], &sets, Some(17))) <= 17);
    }
}
