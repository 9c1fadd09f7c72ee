//! Models of codes with any parameters, and codes that they expect: for what reads files of codes.

use gpu_ae::coding::file::Identity;
use gpu_ae::coding::prior::{Grid, Kind, Known, Lie, Prior};
use gpu_ae::rng::{Rng, Stream, stream_key};

pub const MODEL: Identity = Identity([7; 16]);

/// A code of so many numbers.
pub fn plain(channels: usize) -> Lie {
    Lie { cells: 1, channels, grid: None }
}

/// A map of 4 × 6 cells with a side code for each 2 × 2 of them.
#[allow(dead_code)]
pub const MAP: Lie = Lie { cells: 4 * 6, channels: 2, grid: Some(Grid { height: 2, width: 3, factor: 2 }) };

/// A model by its kind: `side` numbers a side code, `hidden` of its hyper-decoder, means around 0, raw scales of about `raw`.
pub fn prior(kind: Kind, lie: Lie, [side, hidden]: [usize; 2], raw: f32) -> Prior {
    let (inputs, outputs) = match lie.grid {
        Some(grid) => (9 * side, grid.factor * grid.factor * lie.channels),
        None => (side, lie.cells * lie.channels),
    };
    let tensors = |name: &str| {
        let (count, low, high) = match name {
            "rate.mean" => (lie.channels, -0.2, 0.2),
            "rate.scale" => (lie.channels, raw - 0.5, raw + 0.5),
            "rate.cumulative" => (43 * lie.channels, -1.0, 1.0),
            "rate.side_mean" => (side, -0.5, 0.5),
            "rate.side_scale" => (side, -2.0, 0.0),
            "rate.hyper_decoder.0.weight" => (hidden * inputs, -0.3, 0.3),
            "rate.hyper_decoder.0.bias" => (hidden, -0.5, 0.5),
            "rate.hyper_decoder.mean.weight" | "rate.hyper_decoder.scale.weight" => (outputs * hidden, -0.1, 0.1),
            "rate.hyper_decoder.mean.bias" => (outputs, -0.2, 0.2),
            "rate.hyper_decoder.scale.bias" => (outputs, raw - 0.5, raw + 0.5),
            _ => return None,
        };
        let mut rng = Rng::new(stream_key(3 + count as u64, Stream::Data));
        Some((0..count).map(|_| rng.range(low, high)).collect())
    };
    Prior::new(kind, lie, &tensors).unwrap()
}

/// Side symbols and symbols of rows, drawn as the model expects them.
pub fn drawn(prior: &Prior, rows: usize) -> [Vec<i32>; 2] {
    let mut rng = Rng::new(stream_key(4, Stream::Data));
    let mut draw = |known: &Known<'_>| {
        let width = (known.table.symbols() as i64 - 2) / 2;
        let distance = known.table.at(rng.below(1 << 16)).0 as i64 - width;
        // An escape becomes something far away.
        (known.centre + if distance > width { 1000 * distance } else { distance }) as i32
    };
    let (mut side, mut symbols) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let first = side.len();
        side.extend(prior.side().iter().map(&mut draw));
        let mut known = prior.fixed().unwrap_or_default();
        prior.tell(&side[first..], &mut known).unwrap();
        symbols.extend(known.iter().map(&mut draw));
    }
    [side, symbols]
}
