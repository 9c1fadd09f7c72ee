//! Means and scales of symbols from a side code, in integers: a hyper-decoder of two layers whose answer no machine rounds
//! otherwise.
//!
//! Weights and biases are rounded to units of 2⁻¹⁶: h = max(0, W₃ŷ + b₃) in these units, o = W₄h + (b₄ · 2¹⁶) in units of 2⁻³². The
//! first half of o are means, which become sixteenths; the second half are arguments of s = 0.11 + softplus(r), whose table is
//! found by comparing them with those of the bounds between tables, so that nothing has to be computed of them.

use pulp::{Simd, WithSimd};

use super::gaussian::constants;
use crate::error::{Error, Result};
use crate::vectors::dispatch;

/// Units of weights and biases.
const UNITS: f64 = 65536.0;

/// Most units of a weight: 2¹⁵ and less.
const LARGEST: f64 = 32768.0;

/// Largest symbol of a side code: products of three such numbers stay within 64 bits (see [`HyperDecoder::new`]).
pub const LARGEST_SIDE: i64 = 1 << 15;

/// Outputs whose sums are kept at a time.
const PANEL: usize = 16;

/// A layer in integers: weights \[outputs, inputs\] and biases, in units of 2⁻¹⁶.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Layer {
    inputs: usize,
    /// Fewer than 2³¹ units each: \[panels, inputs, outputs of a panel\], zeros behind the last output.
    weights: Vec<[i32; PANEL]>,
    biases: Vec<i32>,
    /// The sum of an output's absolute weights, at most.
    largest: i64,
}

impl Layer {
    fn new(weights: &[f32], biases: &[f32]) -> Result<Self> {
        let inputs = weights.len() / biases.len().max(1);
        if inputs == 0 || biases.is_empty() || inputs * biases.len() != weights.len() {
            return Err(refused("weights that are no matrix of its biases"));
        }
        let rounded = |values: &[f32]| -> Result<Vec<i32>> {
            let units = |&value: &f32| {
                let value = f64::from(value);
                // Also refuses what is no number.
                if value.abs() < LARGEST {
                    Ok((value * UNITS).round_ties_even() as i32)
                } else {
                    Err(refused("a weight of 32768 or more"))
                }
            };
            values.iter().map(units).collect()
        };
        let (rounded, biases) = (rounded(weights)?, rounded(biases)?);
        let mut panels = vec![[0; PANEL]; biases.len().div_ceil(PANEL) * inputs];
        for (output, row) in rounded.chunks_exact(inputs).enumerate() {
            let panel = &mut panels[output / PANEL * inputs..][..inputs];
            panel.iter_mut().zip(row).for_each(|(there, &weight)| there[output % PANEL] = weight);
        }
        let sum = |row: &[i32]| row.iter().map(|&weight| i64::from(weight).abs()).sum();
        let largest = rounded.chunks_exact(inputs).map(sum).max().unwrap_or(0);
        Ok(Layer { inputs, weights: panels, biases, largest })
    }

    /// W x for each output. Numbers of 32 bits have products that processors make many of at a time.
    fn products(&self, x: &[i64]) -> Vec<i64> {
        // After a ReLU half of them are nothing.
        let there = || x.iter().enumerate().filter(|(_, x)| **x != 0);
        let narrow: Option<Vec<(usize, i32)>> =
            there().map(|(input, &x)| Some((input, i32::try_from(x).ok()?))).collect();
        let mut sums = match narrow {
            Some(x) => dispatch(Sums { layer: self, x: &x }),
            None => self.sums(&there().map(|(input, &x)| (input, x)).collect::<Vec<(usize, i64)>>()),
        };
        sums.truncate(self.biases.len());
        sums
    }

    #[inline(always)]
    fn sums<T: Copy + Into<i64>>(&self, x: &[(usize, T)]) -> Vec<i64> {
        let mut all = Vec::with_capacity(self.weights.len() / self.inputs * PANEL);
        for panel in self.weights.chunks_exact(self.inputs) {
            let mut sums = [0; PANEL];
            // Four inputs for each look at the sums.
            let (fours, rest) = x.as_chunks::<4>();
            for four in fours {
                let [a, b, c, d] = four.map(|(input, x)| (&panel[input], x.into()));
                for (output, sum) in sums.iter_mut().enumerate() {
                    let product = |(weights, x): (&[i32; PANEL], i64)| i64::from(weights[output]) * x;
                    *sum += product(a) + product(b) + product(c) + product(d);
                }
            }
            for &(input, x) in rest {
                sums.iter_mut().zip(&panel[input]).for_each(|(sum, &weight)| *sum += i64::from(weight) * x.into());
            }
            all.extend(sums);
        }
        all
    }
}

/// The products of a layer, by the widest vectors there are.
struct Sums<'a> {
    layer: &'a Layer,
    x: &'a [(usize, i32)],
}

impl WithSimd for Sums<'_> {
    type Output = Vec<i64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<i64> {
        self.layer.sums(self.x)
    }
}

/// What is wrong with a hyper-decoder.
fn refused(what: &str) -> Error {
    Error::Failed(format!("the model's hyper-decoder has {what}, which its integers cannot hold"))
}

/// A hyper-decoder of two layers, ReLU between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HyperDecoder {
    hidden: Layer,
    last: Layer,
}

/// Mean and scale of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The mean, in sixteenths.
    pub sixteenths: i64,
    /// Number of its scale's tables.
    pub scale: usize,
}

impl HyperDecoder {
    /// Of weights \[hidden, side\], \[2 · width, hidden\] and their biases.
    ///
    /// # Errors
    /// When they do not fit one another, or are so large that sums of them could leave 64 bits.
    pub fn new(hidden: [&[f32]; 2], last: [&[f32]; 2]) -> Result<Self> {
        let (hidden, last) = (Layer::new(hidden[0], hidden[1])?, Layer::new(last[0], last[1])?);
        if last.inputs != hidden.biases.len() || last.biases.len() % 2 != 0 {
            return Err(refused("layers that do not fit one another"));
        }
        let most_hidden = i128::from(hidden.largest) * i128::from(LARGEST_SIDE) + (1 << 31);
        let most = most_hidden * i128::from(last.largest) + (1 << 47);
        if most > i128::from(i64::MAX) {
            return Err(refused("weights whose sums leave 64 bits"));
        }
        Ok(HyperDecoder { hidden, last })
    }

    /// Width of the side code.
    pub fn side(&self) -> usize {
        self.hidden.inputs
    }

    /// Number of symbols that go with a side code.
    pub fn symbols(&self) -> usize {
        self.last.biases.len() / 2
    }

    /// Means and scales of the symbols that go with a side code.
    ///
    /// # Errors
    /// When the code has another width, or a number beyond [`LARGEST_SIDE`].
    pub fn expected(&self, side: &[i64]) -> Result<Vec<Expected>> {
        if side.len() != self.side() || side.iter().any(|y| y.abs() > LARGEST_SIDE) {
            let problem = format!("a side code: expected {} numbers of at most {LARGEST_SIDE}", self.side());
            return Err(Error::Failed(problem));
        }
        let biased = |(sum, &bias): (i64, &i32), shift: u32| sum + (i64::from(bias) << shift);
        let hidden = self.hidden.products(side).into_iter().zip(&self.hidden.biases);
        let hidden: Vec<i64> = hidden.map(|pair| biased(pair, 0).max(0)).collect();
        let answers = self.last.products(&hidden).into_iter().zip(&self.last.biases);
        let answers: Vec<i64> = answers.map(|pair| biased(pair, 16)).collect();
        let (means, raw) = answers.split_at(answers.len() / 2);
        let bounds = &constants().raw_bounds;
        let expected = means.iter().zip(raw).map(|(&mean, &raw)| Expected {
            sixteenths: (mean + (1 << 27)) >> 28,
            scale: bounds.partition_point(|&bound| raw > bound << 16),
        });
        Ok(expected.collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_32_bits_are_multiplied_as_well() {
        let decoder = HyperDecoder::new([&[3.0, 0.25], &[0.5, 0.0]], [&[1.0, 0.0, 0.0, 2.0], &[0.25, 0.0]]).unwrap();
        assert_eq!((decoder.side(), decoder.symbols()), (1, 1));
        for side in [-2, 1, 7, LARGEST_SIDE] {
            let expected = decoder.expected(&[side]).unwrap()[0];
            let hidden = [3.0 * side as f64 + 0.5, 0.25 * side as f64].map(|sum| sum.max(0.0));
            assert_eq!(expected.sixteenths, (16.0 * (hidden[0] + 0.25)).round() as i64, "{side}");
        }
        assert!(decoder.expected(&[LARGEST_SIDE + 1]).is_err() && decoder.expected(&[1, 1]).is_err());
    }
}
