//! How fast a folder of images becomes rows: `cargo bench --bench images -- FOLDER [WIDTHxHEIGHT]`. With nothing in the
//! cache all are decoded; `benches/peers/images.py` sees to that, and sets it beside torchvision.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use gpu_ae::data::DataOptions;
use gpu_ae::data::format::image;
use gpu_ae::data::found::{Found, Silent};

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(folder) = arguments.next() else {
        return println!("name a folder of images, and perhaps a size such as 32x32");
    };
    let size = arguments.next().map(|size| size.parse().unwrap());
    let options = DataOptions { size, ..DataOptions::of(&*folder) };
    let begun = Instant::now();
    let Found::Rows { shape, parts, .. } = image::read(Path::new(&folder), &options, &mut Silent).unwrap() else {
        return;
    };
    let seconds = begun.elapsed().as_secs_f64();
    let rows: usize = parts.iter().map(|part| part.names.len()).sum();
    println!("{rows} images of {}x{}, {:.0} a second", shape.width, shape.height, rows as f64 / seconds);
}
