//! Seconds that reading a table takes, to put beside pandas' `read_csv` of the same file (`benches/tables.py`, which writes
//! the file and runs both by turns): `cargo bench --bench tables -- FILE`.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use gpu_ae::data::DataOptions;
use gpu_ae::data::format::table;
use gpu_ae::data::found::{Found, Silent};

fn main() {
    let Some(file) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else { return };
    let start = Instant::now();
    let found = table::read(Path::new(&file), &DataOptions::of(file.as_str()), &mut Silent).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let Found::Table(tables) = found else { panic!("{file}: no table") };
    let (rows, columns) = (tables[0].1.rows, tables[0].1.columns.len());
    println!("{seconds:.3} {rows} {columns}");
}
