//! What a side code tells of the symbols that go with it.

use super::{Channel, Grid, Known, Lie, Tensors, of_channel, sized, tensor};
use crate::coding::cumulative::Logistic;
use crate::coding::gaussian::{Tables, centre_and_phase};
use crate::coding::hyper_decoder::{Expected, HyperDecoder};
use crate::error::{Error, Result};

/// Side codes of a row, and what they tell of its symbols.
#[derive(Clone, Debug)]
pub struct Side {
    /// Side codes of a row.
    pub cells: usize,
    /// For each channel of a side code.
    pub channels: Vec<Channel>,
    decoder: HyperDecoder,
    tables: &'static Tables,
}

impl Side {
    /// Of the parameters of a model.
    pub fn new(lie: Lie, tensors: Tensors<'_>) -> Result<Self> {
        let location = tensor(tensors, "rate.side_mean")?;
        let scales = sized(tensors, "rate.side_scale", location.len())?;
        let channels = location.iter().zip(scales).enumerate().map(|(channel, (&location, raw))| {
            Channel::of(&Logistic::new(location, raw)).map_err(of_channel("rate.side_mean", channel))
        });
        let channels = channels.collect::<Result<Vec<Channel>>>()?;
        let of_decoder = |name: &str| tensor(tensors, &format!("rate.hyper_decoder.{name}"));
        let (hidden, hidden_bias) = (of_decoder("0.weight")?, of_decoder("0.bias")?);
        // Means and scales come of the same hidden layer: two halves of one.
        let last = [of_decoder("mean.weight")?, of_decoder("scale.weight")?].concat();
        let last_bias = [of_decoder("mean.bias")?, of_decoder("scale.bias")?].concat();
        let decoder = HyperDecoder::new([&hidden, &hidden_bias], [&last, &last_bias])?;
        let (cells, inputs, block) = match lie.grid {
            Some(grid) => (grid.height * grid.width, NEIGHBOURS * channels.len(), grid.factor * grid.factor),
            None => (1, channels.len(), lie.cells),
        };
        if cells * block != lie.cells || decoder.side() != inputs || decoder.symbols() != block * lie.channels {
            return Err(Error::Failed(format!(
                "the model's hyper-decoder makes {} symbols of {} numbers, expected {} of {inputs}, {cells} times a row of {} cells",
                decoder.symbols(),
                decoder.side(),
                block * lie.channels,
                lie.cells
            )));
        }
        Ok(Side { cells, channels, decoder, tables: Tables::all()? })
    }

    /// Adds to `all` what the side symbols of a row tell of its symbols.
    pub fn tell<'a>(&'a self, lie: Lie, symbols: &[i32], all: &mut Vec<Known<'a>>) -> Result<()> {
        let Some(grid) = lie.grid else {
            let side: Vec<i64> = symbols.iter().map(|&symbol| symbol.into()).collect();
            all.extend(self.decoder.expected(&side)?.into_iter().map(|expected| self.known(expected)));
            return Ok(());
        };
        let begin = all.len();
        let nothing = Known { centre: 0, table: self.tables.of(0, 0) };
        all.resize(begin + lie.cells * lie.channels, nothing);
        let (mut before, mut expected) = (Vec::new(), Vec::new());
        for cell in 0..self.cells {
            let (top, left) = (cell / grid.width, cell % grid.width);
            let side = neighbours(grid, [top, left], symbols);
            // Where much is alike there is less to compute.
            if side != before {
                (expected, before) = (self.decoder.expected(&side)?, side);
            }
            for (number, &expected) in expected.iter().enumerate() {
                let (channel, down, right) = grid.place(number);
                let line = top * grid.factor + down;
                let place = line * grid.width * grid.factor + left * grid.factor + right;
                all[begin + place * lie.channels + channel] = self.known(expected);
            }
        }
        Ok(())
    }

    #[inline]
    fn known(&self, expected: Expected) -> Known<'_> {
        let (centre, phase) = centre_and_phase(expected.sixteenths);
        Known { centre, table: self.tables.of(expected.scale, phase) }
    }
}

impl Grid {
    /// Which channel of which cell of a block, down and to the right, a hyper-decoder's number is of: as `PixelShuffle` of
    /// `src/ops/pool` makes cells of channels.
    fn place(self, number: usize) -> (usize, usize, usize) {
        let (rest, right) = (number / self.factor, number % self.factor);
        (rest / self.factor, rest % self.factor, right)
    }
}

/// Cells that a hyper-decoder sees of a grid: the one that it is about, and those around it.
pub const NEIGHBOURS: usize = 9;

/// What a hyper-decoder sees of a grid: the 3 × 3 side codes around a place, zeros outside, as \[line, column, channel\], the order
/// in which a kernel's weights lie on a device.
pub fn neighbours(grid: Grid, [top, left]: [usize; 2], symbols: &[i32]) -> Vec<i64> {
    let channels = symbols.len() / (grid.height * grid.width).max(1);
    let mut all = vec![0; NEIGHBOURS * channels];
    for (number, around) in all.chunks_exact_mut(channels.max(1)).enumerate() {
        // One line and one column too many, so that there is nothing below 0.
        let (line, column) = (top + number / 3, left + number % 3);
        if (1..=grid.height).contains(&line) && (1..=grid.width).contains(&column) {
            let place = ((line - 1) * grid.width + column - 1) * channels;
            let there = &symbols[place..place + channels];
            around.iter_mut().zip(there).for_each(|(number, &symbol)| *number = symbol.into());
        }
    }
    all
}
