//! How wide the terminal is that people read from, and what of a line is shown on it.

use gpu_ae::report::fitted_table;
use terminal_size::{Height, Width, terminal_size_of};

fn columns(size: Option<(Width, Height)>) -> Option<usize> {
    // A terminal that was never given a size says 0.
    size.map(|(width, _)| usize::from(width.0)).filter(|columns| *columns > 0)
}

/// Columns of the terminal that results go to; none where they go to a file or another program, which get everything.
pub fn width() -> Option<usize> {
    columns(terminal_size_of(std::io::stdout()))
}

/// Columns of the terminal that notices and bars go to, if it is one.
pub fn notice_width() -> Option<usize> {
    columns(terminal_size_of(std::io::stderr()))
}

/// A table for standard output, as wide as the terminal at most, without the end of its last line.
pub fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    fitted_table(headers, rows, width()).trim_end().to_string()
}
