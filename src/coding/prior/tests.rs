use std::collections::HashMap;

use super::side::{NEIGHBOURS, neighbours};
use super::*;
use crate::coding::gaussian::half_width;

/// Tensors that have names.
fn found(tensors: &[(&str, Vec<f32>)]) -> impl Fn(&str) -> Option<Vec<f32>> + use<> {
    let all: HashMap<String, Vec<f32>> = tensors.iter().map(|(name, all)| (name.to_string(), all.clone())).collect();
    move |name: &str| all.get(name).cloned()
}

const PLAIN: Lie = Lie { cells: 1, channels: 2, grid: None };

fn same(known: &Known<'_>, centre: i64, scale: usize, phase: i64) -> bool {
    known.centre == centre && known.table == Tables::all().unwrap().of(scale, phase)
}

#[test]
fn channels_are_repeated_for_every_cell() {
    let tensors = found(&[("rate.mean", vec![0.5, -3.0]), ("rate.scale", vec![-20.0, 7.0])]);
    let prior = Prior::new(Kind::Gaussian, Lie { cells: 3, ..PLAIN }, &tensors).unwrap();
    assert_eq!((prior.symbols(), prior.side_symbols(), prior.side().len()), (6, 0, 0));
    let known = prior.fixed().unwrap();
    assert!(known.chunks_exact(2).all(|pair| same(&pair[0], 1, 0, -8) && same(&pair[1], -3, 34, 0)));
    let mut told = Vec::new();
    prior.tell(&[], &mut told).unwrap();
    assert!(told.is_empty());
}

#[test]
fn every_factorised_channel_has_its_own_table() {
    let mut parameters = vec![0.3; 2 * PARAMETERS];
    // The last bias moves the median.
    parameters[2 * PARAMETERS - 1] = -40.0;
    let tensors = found(&[("rate.cumulative", parameters)]);
    let prior = Prior::new(Kind::Factorized, PLAIN, &tensors).unwrap();
    let known = prior.fixed().unwrap();
    assert!(known.len() == 2 && known[0].centre < known[1].centre);
}

/// A hyper-decoder that answers with sums of what it sees: means of all inputs and of the first by turns.
fn sums(inputs: usize, symbols: usize) -> [(&'static str, Vec<f32>); 8] {
    let mut weights = vec![1.0; inputs];
    weights.extend((0..inputs).map(|input| if input == 0 { 1.0 } else { 0.0 }));
    // Each a whole number more.
    let means = (0..symbols).flat_map(|symbol| if symbol % 2 == 0 { [1.0, 0.0] } else { [0.0, 1.0] });
    [
        ("rate.hyper_decoder.0.weight", weights),
        ("rate.hyper_decoder.0.bias", vec![0.0; 2]),
        ("rate.hyper_decoder.mean.weight", means.collect()),
        ("rate.hyper_decoder.mean.bias", (0..symbols).map(|symbol| symbol as f32).collect()),
        ("rate.hyper_decoder.scale.weight", vec![0.0; 2 * symbols]),
        ("rate.hyper_decoder.scale.bias", vec![-20.0; symbols]),
        ("rate.side_mean", vec![0.0, 2.0]),
        ("rate.side_scale", vec![0.0, 0.0]),
    ]
}

#[test]
fn a_side_code_tells_of_all_symbols() {
    let tensors = found(&sums(2, 4));
    let prior = Prior::new(Kind::Hyperprior, Lie { cells: 2, ..PLAIN }, &tensors).unwrap();
    assert!(prior.fixed().is_none() && prior.side_symbols() == 2);
    assert_eq!(prior.side().iter().map(|known| known.centre).collect::<Vec<i64>>(), [0, 2]);
    let mut known = Vec::new();
    prior.tell(&[5, 3], &mut known).unwrap();
    assert_eq!(known.iter().map(|known| known.centre).collect::<Vec<i64>>(), [8, 6, 10, 8]);
    assert!(same(&known[0], 8, 0, 0) && half_width(0) == 2);
    assert!(prior.tell(&[1 << 20, 0], &mut known).is_err(), "beyond the integers of a hyper-decoder");
}

#[test]
fn side_codes_of_a_grid_see_their_neighbours_and_tell_of_their_blocks() {
    let grid = Grid { height: 2, width: 3, factor: 2 };
    let lie = Lie { cells: 4 * 6, channels: 2, grid: Some(grid) };
    let tensors = found(&sums(2 * NEIGHBOURS, 8));
    let prior = Prior::new(Kind::Hyperprior, lie, &tensors).unwrap();
    assert_eq!((prior.side_symbols(), prior.side().len(), prior.symbols()), (12, 12, 48));
    // Sums tell which cells were seen.
    let side: Vec<i32> = [1, 10, 100, 1000, 10_000, 20_000].into_iter().flat_map(|cell| [cell, 0]).collect();
    let mut known = Vec::new();
    prior.tell(&side, &mut known).unwrap();
    let centres = |line: usize, column: usize| [0, 1].map(|channel| known[(line * 6 + column) * 2 + channel].centre);
    // Around the first: it, its right neighbour, those below; the first input is above to the left, outside. The four numbers of
    // the first channel come first.
    assert_eq!([centres(0, 0), centres(0, 1)], [[11_011, 11_015], [1, 5]]);
    assert_eq!([centres(1, 0), centres(1, 1)], [[11_013, 11_017], [3, 7]]);
    // Around the last, whose first input is the second of the upper line.
    assert_eq!([centres(2, 4), centres(2, 5)], [[30_110, 30_114], [11, 15]]);
    assert_eq!([centres(3, 4), centres(3, 5)], [[30_112, 30_116], [13, 17]]);
    assert_eq!(neighbours(grid, [1, 2], &side)[..6], [10, 0, 100, 0, 0, 0]);
}

#[test]
fn what_does_not_fit_is_named() {
    let says = |kind: Kind, lie: Lie, tensors: &[(&str, Vec<f32>)], expected: &str| {
        let problem = Prior::new(kind, lie, &found(tensors)).unwrap_err().to_string();
        assert!(problem.contains(expected), "{problem}");
    };
    let mean = ("rate.mean", vec![0.0; 2]);
    says(Kind::Gaussian, PLAIN, &[], "'rate.mean'");
    says(Kind::Gaussian, PLAIN, &[("rate.mean", vec![0.0])], "'rate.mean': expected 2 numbers, found 1");
    says(Kind::Gaussian, PLAIN, &[mean.clone(), ("rate.scale", vec![0.0, f32::NAN])], "channel 1");
    says(Kind::Gaussian, PLAIN, &[("rate.mean", vec![f32::INFINITY, 0.0]), ("rate.scale", vec![0.0; 2])], "channel 0");
    says(Kind::Gaussian, Lie { cells: 0, ..PLAIN }, &[], "without symbols");
    says(Kind::Factorized, PLAIN, &[("rate.cumulative", vec![f32::NAN; 2 * PARAMETERS])], "channel 0");
    says(Kind::Hyperprior, PLAIN, &sums(2, 4), "4 symbols of 2 numbers, expected 2 of 2");
    let lie = Lie { cells: 4, channels: 1, grid: Some(Grid { height: 1, width: 1, factor: 2 }) };
    says(Kind::Hyperprior, lie, &sums(2, 4), "4 symbols of 2 numbers, expected 4 of 18");
}
