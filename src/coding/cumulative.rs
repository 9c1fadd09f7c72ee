//! Tables of distributions that are given by their cumulative function: those of Ballé's factorised model, and logistic ones.
//!
//! P(X ≤ x) = σ(l(x)), with logits l that rise; a whole number t has the mass σ(l(t + ½)) − σ(l(t − ½)). The edges σ(l(t + ½)) are
//! rounded to units of 2⁻²⁸, computed by [`portable`](super::portable) alone; their differences are the masses of a table, with the rest on
//! both sides for its escape. So a table is a function of the parameters, the same on every machine, and no file needs to hold it.

use super::portable::{sigmoid, softplus, tanh};
use super::table::Table;
use crate::error::{Error, Result};

/// Numbers that make one channel's cumulative function of the factorised model (see [`Factorized::new`]).
pub const PARAMETERS: usize = 43;

/// Inputs and outputs of its layers.
const LAYERS: [[usize; 2]; 4] = [[1, 3], [3, 3], [3, 3], [3, 1]];

/// Least scale of a logistic distribution.
const LEAST_SCALE: f64 = 1e-3;

/// Units of an edge.
const UNITS: f64 = (1 << 28) as f64;

/// A table reaches as far from its centre as it must for no more than this to be left to its escape.
const LEFT: f64 = 1.0 / 65536.0;

/// And no farther than this.
pub const FARTHEST: i64 = 4095;

/// The centre of a table is no farther from 0 than this.
const FARTHEST_CENTRE: i64 = 1 << 30;

/// A distribution's cumulative function.
pub trait Cumulative {
    /// l(x) for P(X ≤ x) = σ(l(x)): it rises.
    fn logits(&self, x: f64) -> f64;
}

/// A logistic distribution: l(x) = (x − location)/scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Logistic {
    location: f64,
    scale: f64,
}

impl Logistic {
    /// Of a location and the scale softplus(`raw`) + 0.001.
    pub fn new(location: f32, raw: f32) -> Self {
        Logistic { location: location.into(), scale: softplus(raw.into()) + LEAST_SCALE }
    }
}

impl Cumulative for Logistic {
    fn logits(&self, x: f64) -> f64 {
        (x - self.location) / self.scale
    }
}

/// A layer of up to three inputs and outputs: x ← W x + b, then x ← x + a tanh x.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Layer {
    weights: [[f64; 3]; 3],
    biases: [f64; 3],
    /// 0 in the last layer.
    bends: [f64; 3],
}

/// One channel of the factorised model.
///
/// Source: Ballé, Minnen, Singh, Hwang, Johnston, "Variational image compression with a scale hyperprior" (2018), appendix 6.1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factorized([Layer; 4]);

impl Factorized {
    /// Of its parameters H₀ b₀ a₀ H₁ b₁ a₁ H₂ b₂ a₂ H₃ b₃, one behind the other, matrices by rows, \[outputs, inputs\]: weights are
    /// softplus(H), and bends tanh(a).
    pub fn new(parameters: &[f32; PARAMETERS]) -> Self {
        let mut rest = parameters.iter().map(|&value| f64::from(value));
        let mut next = || rest.next().unwrap_or_default();
        let mut layers = [Layer::default(); 4];
        for (number, (layer, [inputs, outputs])) in layers.iter_mut().zip(LAYERS).enumerate() {
            for row in &mut layer.weights[..outputs] {
                row[..inputs].iter_mut().for_each(|weight| *weight = softplus(next()));
            }
            layer.biases[..outputs].iter_mut().for_each(|bias| *bias = next());
            if number + 1 < LAYERS.len() {
                layer.bends[..outputs].iter_mut().for_each(|bend| *bend = tanh(next()));
            }
        }
        Factorized(layers)
    }
}

impl Cumulative for Factorized {
    fn logits(&self, x: f64) -> f64 {
        let mut values = [x, 0.0, 0.0];
        for layer in &self.0 {
            let sums: [f64; 3] = std::array::from_fn(|output| {
                let products = layer.weights[output].iter().zip(values).map(|(weight, value)| weight * value);
                products.sum::<f64>() + layer.biases[output]
            });
            values = std::array::from_fn(|output| match layer.bends[output] {
                0.0 => sums[output],
                bend => sums[output] + bend * tanh(sums[output]),
            });
        }
        values[0]
    }
}

/// The number around which a table lies, and the table of distances from it: −T…T are its symbols 0…2T, the escape is 2T + 1.
///
/// # Errors
/// When the distribution is none, as that of parameters that are no numbers.
pub fn table(of: &impl Cumulative) -> Result<(i64, Table)> {
    // The number that the median is rounded to.
    let centre = first(-FARTHEST_CENTRE, FARTHEST_CENTRE, |t| of.logits(t as f64 + 0.5) >= 0.0);
    let edge = |t: i64| of.logits((centre + t) as f64 + 0.5);
    let width = first(1, FARTHEST, |width| sigmoid(edge(-width - 1)) + sigmoid(-edge(width)) <= LEFT);
    let mut edges = Vec::new();
    for t in -width - 1..=width {
        let share = (UNITS * sigmoid(edge(t))).round();
        if share.is_nan() {
            return Err(Error::Failed("a distribution: expected parameters that are numbers".into()));
        }
        // Rises however rounding falls.
        edges.push((share as u32).max(edges.last().copied().unwrap_or(0)));
    }
    let (least, most) = (edges[0], edges[edges.len() - 1]);
    let mut masses: Vec<u32> = edges.windows(2).map(|pair| pair[1] - pair[0]).collect();
    masses.push(least + (UNITS as u32 - most));
    Ok((centre, Table::of_masses(&masses)?))
}

/// The first whole number from `low` on that something is true of, which stays true from there on; else `high`.
fn first(mut low: i64, mut high: i64, is_true: impl Fn(i64) -> bool) -> i64 {
    while low < high {
        let middle = (low + high).div_euclid(2);
        if is_true(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stream, stream_key};

    /// Parameters as they are after training: any numbers.
    fn parameters(rng: &mut Rng) -> [f32; PARAMETERS] {
        std::array::from_fn(|_| rng.range(-1.5, 1.5))
    }

    fn fnv(table: &Table, hash: u32) -> u32 {
        let bytes = table.cumulative().iter().flat_map(|share| share.to_le_bytes());
        bytes.fold(hash, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619))
    }

    /// Their hash and centres were also computed by another program, in Python, with logarithms and exponentials of its own.
    #[test]
    fn tables_are_the_same_wherever_this_runs() {
        let mut hash = 2_166_136_261;
        let mut centres = Vec::new();
        for case in 0..8 {
            let some = |n: usize| ((37 * n + 101 * case) % 301) as f32 / 100.0 - 1.5;
            let (centre, of_it) = table(&Factorized::new(&std::array::from_fn(some))).unwrap();
            (hash, _) = (fnv(&of_it, hash), centres.push(centre));
            let (centre, of_it) = table(&Logistic::new(4.0 * some(1), 2.0 * some(2) - 2.0)).unwrap();
            (hash, _) = (fnv(&of_it, hash), centres.push(centre));
        }
        assert_eq!(hash, 4_133_745_172);
        assert_eq!(centres, [1, -5, -2, 0, 1, 4, 1, -4, -2, 0, 1, 4, 1, -4, -2, 0]);
    }

    /// The mass of a number by the system's own functions.
    fn mass(logits: impl Fn(f64) -> f64, t: i64) -> f64 {
        let below = |x: f64| 1.0 / (1.0 + (-logits(x)).exp());
        below(t as f64 + 0.5) - below(t as f64 - 0.5)
    }

    #[test]
    fn shares_are_those_of_the_distribution() {
        for (location, raw) in [(0.0, -2.0), (0.4, 0.3), (-7.7, 2.0), (3e5, -9.0)] {
            let (centre, of_it) = table(&Logistic::new(location, raw)).unwrap();
            let scale = f64::from(raw).exp().ln_1p() + 1e-3;
            let width = (of_it.symbols() as i64 - 2) / 2;
            for t in -width..=width {
                let step = of_it.step((t + width) as usize).unwrap();
                let due = mass(|x| (x - f64::from(location)) / scale, centre + t);
                let unit = 1.0 + of_it.symbols() as f64 * due;
                let found = f64::from(step.frequency);
                assert!((found - 65536.0 * due).abs() <= 1.01 + unit, "{location} {raw} {t}: {found}, {due}");
            }
        }
    }

    #[test]
    fn the_factorised_function_rises_and_has_its_layers_in_order() {
        let mut rng = Rng::new(stream_key(2, Stream::Data));
        let all = parameters(&mut rng);
        let logits = |x: f64| Factorized::new(&all).logits(x);
        assert!((-50..50).all(|t| logits(f64::from(t)) < logits(f64::from(t + 1))));
        // The same by the system's own functions, written out.
        let plus = |at: usize| f64::from(all[at]).exp().ln_1p();
        let bend = |value: f64, at: usize| value + f64::from(all[at]).tanh() * value.tanh();
        let mut values: Vec<f64> = (0..3).map(|o| bend(plus(o) * 0.7 + f64::from(all[3 + o]), 6 + o)).collect();
        for start in [9, 24] {
            let sum = |o: usize| (0..3).map(|i| plus(start + 3 * o + i) * values[i]).sum::<f64>();
            values = (0..3).map(|o| bend(sum(o) + f64::from(all[start + 9 + o]), start + 12 + o)).collect();
        }
        let last = (0..3).map(|i| plus(39 + i) * values[i]).sum::<f64>() + f64::from(all[42]);
        assert!((logits(0.7) - last).abs() < 1e-11, "{last}");
    }

    #[test]
    fn the_far_and_the_impossible() {
        let (centre, of_it) = table(&Logistic::new(3e38, 0.0)).unwrap();
        assert_eq!((centre, of_it.symbols() as i64), (FARTHEST_CENTRE, 2 * FARTHEST + 2), "all of it is the escape's");
        assert_eq!(table(&Logistic::new(0.0, 3e38)).unwrap().1.symbols() as i64, 2 * FARTHEST + 2);
        assert!(table(&Logistic::new(f32::NAN, 0.0)).is_err() && table(&Logistic::new(0.0, f32::NAN)).is_err());
        assert_eq!(
            table(&Logistic::new(0.0, -100.0)).unwrap().1.symbols(),
            4,
            "a point is three symbols and an escape"
        );
    }
}
