//! Means and scales of symbols from a side code, in integers: a hyper-decoder of two layers whose answer no machine rounds
//! otherwise.
//!
//! Weights and biases are rounded to units of 2⁻¹⁶: h = max(0, W₃ŷ + b₃) in these units, o = W₄h + (b₄ · 2¹⁶) in units of 2⁻³². The
//! first half of o are means, which become sixteenths; the second half are arguments of s = 0.11 + softplus(r), whose table is
//! found by comparing them with those of the bounds between tables, so that nothing has to be computed of them.

use pulp::Arch;

use super::gaussian::constants;
use crate::error::{Error, Result};

/// Units of weights and biases.
const UNITS: f64 = 65536.0;

/// Most units of a weight: 2¹⁵ and less.
const LARGEST: f64 = 32768.0;

/// Largest symbol of a side code: products of three such numbers stay within 64 bits (see [`HyperDecoder::new`]).
pub const LARGEST_SIDE: i64 = 1 << 15;

/// A layer in integers: weights \[outputs, inputs\] and biases, in units of 2⁻¹⁶.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Layer {
    inputs: usize,
    /// Fewer than 2³¹ units each.
    weights: Vec<i32>,
    biases: Vec<i32>,
}

impl Layer {
    fn new(weights: &[f32], biases: &[f32]) -> Result<Self> {
        let inputs = weights.len() / biases.len().max(1);
        if biases.is_empty() || inputs * biases.len() != weights.len() {
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
        Ok(Layer { inputs, weights: rounded(weights)?, biases: rounded(biases)? })
    }

    /// The sum of a row's absolute weights, at most.
    fn largest_row(&self) -> i64 {
        let rows = self.weights.chunks_exact(self.inputs.max(1));
        rows.map(|row| row.iter().map(|&weight| i64::from(weight).abs()).sum()).max().unwrap_or(0)
    }

    /// W x for each output, with its bias. Numbers of 32 bits have products that processors make many of at a time.
    fn products(&self, x: &[i64], mut each: impl FnMut(i64, i64)) {
        let rows = self.weights.chunks_exact(self.inputs.max(1)).zip(&self.biases);
        let narrow: Option<Vec<i32>> = x.iter().map(|&x| i32::try_from(x).ok()).collect();
        match narrow {
            Some(x) => Arch::new().dispatch(|| {
                for (row, &bias) in rows {
                    let products = row.iter().zip(&x).map(|(&weight, &x)| i64::from(weight) * i64::from(x));
                    each(products.sum(), bias.into());
                }
            }),
            None => {
                for (row, &bias) in rows {
                    each(row.iter().zip(x).map(|(&weight, x)| i64::from(weight) * x).sum(), bias.into());
                }
            }
        }
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
        let most_hidden = i128::from(hidden.largest_row()) * i128::from(LARGEST_SIDE) + (1 << 31);
        let most = most_hidden * i128::from(last.largest_row()) + (1 << 47);
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
        let (mut hidden, mut answers) = (Vec::new(), Vec::new());
        self.hidden.products(side, |sum, bias| hidden.push((sum + bias).max(0)));
        self.last.products(&hidden, |sum, bias| answers.push(sum + (bias << 16)));
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
