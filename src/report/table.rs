//! Tables and numbers for the terminal.

use std::borrow::Cow;

use super::printable::printable_line;

/// Lays out `rows` under `headers` with two spaces between the columns and a rule below the
/// headers. A column of numbers is aligned to the right. Without headers, the rows stand alone. What a terminal would obey is
/// spelt out, as [`printable_line`] does.
///
/// ```
/// use gpu_ae::report::text_table;
///
/// let rows = [vec!["train".into(), "0.02483".into()], vec!["test".into(), "0.02513".into()]];
/// assert_eq!(
///     text_table(&["split", "mse"], &rows),
///     "split      mse\n\
///      -----  -------\n\
///      train  0.02483\n\
///      test   0.02513\n"
/// );
/// ```
pub fn text_table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let shown = |row: &Vec<String>| row.iter().map(|cell| printable_line(cell).into_owned()).collect();
    let rows: &[Vec<String>] = &rows.iter().map(shown).collect::<Vec<_>>();
    let count = rows.iter().map(Vec::len).chain([headers.len()]).max().unwrap_or(0);
    let columns: Vec<Column> = (0..count).map(|index| Column::measure(headers, rows, index)).collect();
    let mut text = String::new();
    if !headers.is_empty() {
        push_line(&mut text, &columns, |index| headers.get(index).copied().unwrap_or("").to_string());
        push_line(&mut text, &columns, |index| "-".repeat(columns[index].width));
    }
    for row in rows {
        push_line(&mut text, &columns, |index| row.get(index).cloned().unwrap_or_default());
    }
    text
}

/// `value` to 4 significant digits: `0.02513`, `5.980`, `1.235e-5`. Digits before the point are
/// never dropped below a million: `123457`.
pub fn format_number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_string();
    }
    if !value.is_finite() {
        return value.to_string();
    }
    // Rounding may carry into one more digit (9.9999 is 10.00), so the exponent is read after it.
    let scientific = format!("{value:.3e}");
    let exponent = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok()).unwrap_or(0);
    if (-4..6).contains(&exponent) {
        let decimals = usize::try_from(3 - exponent).unwrap_or(0);
        format!("{value:.decimals$}")
    } else {
        scientific
    }
}

/// How a column is set.
pub(super) struct Column {
    /// Characters of its longest cell.
    pub(super) width: usize,
    numeric: bool,
}

impl Column {
    pub(super) fn measure(headers: &[&str], rows: &[Vec<String>], index: usize) -> Self {
        let cells = || rows.iter().filter_map(|row| row.get(index)).map(String::as_str);
        let width = cells().chain(headers.get(index).copied()).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let numeric = cells().any(is_number) && cells().all(|cell| is_number(cell) || is_blank(cell));
        Column { width, numeric }
    }
}

/// A number, perhaps with a sign of percent or times, or one word of unit: `12`, `97.5%`, `3 GiB`.
fn is_number(cell: &str) -> bool {
    let mut words = cell.split_whitespace();
    let number = words.next().unwrap_or("").trim_end_matches(['%', '×']);
    let has_digit_or_is_special =
        number.contains(|c: char| c.is_ascii_digit()) || matches!(number, "NaN" | "inf" | "-inf");
    let plain = without_separators(number);
    has_digit_or_is_special && plain.parse::<f64>().is_ok() && words.count() <= 1
}

/// A number without the commas between its thousands; anything else as it is.
fn without_separators(number: &str) -> Cow<'_, str> {
    let whole = number.trim_start_matches(['-', '+']);
    let whole = whole.split_once('.').map_or(whole, |(whole, _)| whole);
    let mut groups = whole.split(',');
    let is_digits = |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    let begins = groups.next().is_some_and(|first| first.len() <= 3 && is_digits(first));
    let are_thousands = begins && groups.all(|group| group.len() == 3 && is_digits(group));
    if are_thousands && whole.contains(',') { Cow::Owned(number.replace(',', "")) } else { Cow::Borrowed(number) }
}

fn is_blank(cell: &str) -> bool {
    matches!(cell.trim(), "" | "-" | "–")
}

fn push_line(text: &mut String, columns: &[Column], cell: impl Fn(usize) -> String) {
    let cells: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let width = column.width;
            if column.numeric { format!("{:>width$}", cell(index)) } else { format!("{:<width$}", cell(index)) }
        })
        .collect();
    text.push_str(cells.join("  ").trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(cells: &[&[&str]]) -> Vec<Vec<String>> {
        cells.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect()
    }

    #[test]
    fn numbers_are_aligned_right_and_words_left() {
        let table =
            text_table(&["tensor", "size", "share"], &rows(&[&["w1", "1.5 MiB", "97.5%"], &["bias", "64 B", "-"]]));
        assert_eq!(
            table,
            "tensor     size  share\n\
             ------  -------  -----\n\
             w1      1.5 MiB  97.5%\n\
             bias       64 B      -\n"
        );
    }

    #[test]
    fn thousands_are_numbers_and_lists_are_not() {
        for number in ["104,684", "-1,234,567.5", "1,000 rows", "12"] {
            assert!(is_number(number), "{number}");
        }
        for other in ["1,2", "1234,567", "1,23", ",123", "12,3456", "a,bcd"] {
            assert!(!is_number(other), "{other}");
        }
        assert_eq!(text_table(&["n"], &rows(&[&["984"], &["104,684"]])), "      n\n-------\n    984\n104,684\n");
    }

    #[test]
    fn rows_may_be_ragged_and_headers_absent() {
        assert_eq!(text_table(&[], &rows(&[&["device", "cpu"], &["é"]])), "device  cpu\né\n");
        assert_eq!(text_table(&["a"], &rows(&[&["x", "extra"]])), "a\n-  -----\nx  extra\n");
        assert_eq!(text_table(&["a", "b"], &[]), "a  b\n-  -\n");
        assert_eq!(text_table(&[], &[]), "");
    }

    #[test]
    fn width_counts_characters_not_bytes() {
        assert_eq!(text_table(&[], &rows(&[&["λλ", "x"], &["abc", "y"]])), "λλ   x\nabc  y\n");
    }

    #[test]
    fn four_significant_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (0.025_126, "0.02513"),
            (5.98, "5.980"),
            (9.999_96, "10.00"),
            (-0.5, "-0.5000"),
            (123_456.7, "123457"),
            (999_999.9, "1.000e6"),
            (0.000_123_456, "0.0001235"),
            (0.000_012_345_6, "1.235e-5"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(format_number(value), expected);
        }
    }
}
