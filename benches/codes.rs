//! Symbols to a file of codes and back, on one core: megabytes of symbols a second, of four bytes each. `known` models have one table a
//! channel; of `told` ones a hyper-decoder of 8 side numbers and 32 hidden ones makes tables for each row, which counts as well. What is
//! coded is drawn from the model. `cargo bench --bench codes -- NAME` runs those whose name has that. Everything counts that `write` and `Reader::all` do, checksums and the estimate included.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

#[path = "../tests/common/codes.rs"]
mod made_codes;

use std::time::Instant;

use gpu_ae::coding::file::{Reader, write};
use gpu_ae::coding::prior::{Grid, Kind, Lie};
use made_codes::{MODEL, drawn, plain, prior};

/// Rounds, of which the fastest is told: whoever else uses the processor only makes them slower.
const ROUNDS: usize = 9;
/// Symbols of a round, about.
const SYMBOLS: usize = 4 << 20;

fn fastest(times: Vec<f64>) -> f64 {
    times.into_iter().fold(f64::INFINITY, f64::min)
}

fn main() {
    let map = Lie { cells: 64, channels: 32, grid: Some(Grid { height: 4, width: 4, factor: 2 }) };
    let works = [
        ("known/gaussian sparse", Kind::Gaussian, plain(128), [0, 0], -2.4),
        ("known/gaussian", Kind::Gaussian, plain(128), [0, 0], 0.0),
        ("known/gaussian wide", Kind::Gaussian, plain(128), [0, 0], 60.0),
        ("known/factorised", Kind::Factorized, plain(128), [0, 0], 0.0),
        ("told/64 of 8", Kind::Hyperprior, plain(64), [8, 32], -1.0),
        ("told/512 of 8", Kind::Hyperprior, plain(512), [8, 32], -1.0),
        ("told/512 of 32, 128 hidden", Kind::Hyperprior, plain(512), [32, 128], -1.0),
        ("told/map of 8 x 8 x 32", Kind::Hyperprior, map, [8, 32], -1.0),
    ];
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).unwrap_or_default();
    for (name, kind, lie, side, raw) in works.into_iter().filter(|(name, ..)| name.contains(&wanted)) {
        let prior = prior(kind, lie, side, raw);
        let rows = SYMBOLS / prior.symbols();
        let [side, symbols] = drawn(&prior, rows);
        let (mut to, mut back) = (Vec::new(), Vec::new());
        let written = write(&prior, MODEL, &side, &symbols).unwrap();
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            assert_eq!(write(&prior, MODEL, &side, &symbols).unwrap(), written);
            to.push(begin.elapsed().as_secs_f64());
            let begin = Instant::now();
            let decoded = Reader::new(&written.bytes, &prior, MODEL).and_then(Reader::all).unwrap();
            back.push(begin.elapsed().as_secs_f64());
            assert!(decoded == symbols);
        }
        let megabytes = 4e-6 * symbols.len() as f64;
        println!(
            "codes/{name}: {:.0} MB/s to bytes, {:.0} MB/s back, {:.3} bits a symbol",
            megabytes / fastest(to),
            megabytes / fastest(back),
            8.0 * written.bytes.len() as f64 / symbols.len() as f64
        );
    }
}
