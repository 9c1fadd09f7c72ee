//! The symbols of some rows as bytes: the lengths of all streams but the last, the streams of the side symbols, those of the symbols.

use super::numbers::{put, take};
use super::refused::Wrong;
use crate::coding::interleaved::{Decoder, Encoder, STREAMS, streams};
use crate::coding::prior::{Known, Prior};
use crate::coding::rans::Damage;
use crate::error::{Error, Result};

/// Rows that are coded at a time: those of as many symbols as go to the streams by whole turns.
const ROWS: usize = STREAMS;

/// Where symbols are expected.
pub struct Places<'a> {
    prior: &'a Prior,
    /// Of as many rows as are coded at a time.
    side: Vec<Known<'a>>,
    fixed: Option<Vec<Known<'a>>>,
}

/// How many of all steps have each number of slots: what they are worth is told at the end, by one logarithm each.
pub struct Worth(Vec<u64>);

impl Default for Worth {
    fn default() -> Self {
        Worth(vec![0; (1 << 16) + 1])
    }
}

impl Worth {
    fn add(&mut self, encoder: &Encoder) {
        encoder.steps().for_each(|step| self.0[step.frequency as usize] += 1);
    }

    /// Bits of all of them.
    pub fn bits(&self) -> f64 {
        let all = self.0.iter().enumerate().filter(|(_, count)| **count > 0);
        all.map(|(frequency, &count)| count as f64 * (16.0 - (frequency as f64).log2())).sum()
    }
}

impl<'a> Places<'a> {
    /// Of the rows of a model.
    pub fn new(prior: &'a Prior) -> Self {
        Places { prior, side: prior.side().repeat(ROWS), fixed: prior.fixed().map(|row| row.repeat(ROWS)) }
    }

    /// Calls `each` with what is known of the symbols of all rows, some at a time, and which rows they are.
    fn walk<E>(
        &self,
        rows: usize,
        mut tell: impl FnMut(usize, &mut Vec<Known<'a>>) -> Result<(), E>,
        mut each: impl FnMut(usize, &[Known<'a>]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (width, mut told) = (self.prior.symbols(), Vec::new());
        for first in (0..rows).step_by(ROWS) {
            let count = ROWS.min(rows - first);
            match &self.fixed {
                Some(fixed) => each(first, &fixed[..count * width])?,
                None => {
                    told.clear();
                    (first..first + count).try_for_each(|row| tell(row, &mut told))?;
                    each(first, &told)?;
                }
            }
        }
        Ok(())
    }

    /// The bytes of a block; `first` is the number of its first row, for errors.
    ///
    /// # Errors
    /// When a symbol is too far from where it is expected, or a side symbol beyond what the hyper-decoder takes.
    pub fn encode(
        &self,
        first: usize,
        [side, symbols]: [&[i32]; 2],
        [side_worth, worth]: [&mut Worth; 2],
    ) -> Result<Vec<u8>> {
        let [side_width, width] = [self.prior.side_symbols(), self.prior.symbols()];
        let too_far = |place: usize, width: usize, what: &str| {
            let (row, place) = (first + place / width.max(1), place % width.max(1));
            Error::Failed(format!("row {row}: {what} {place} is farther from where it is expected than 2^31"))
        };
        let mut of_side = Encoder::new(side.len());
        for (at, part) in side.chunks(self.side.len().max(1)).enumerate() {
            let pushed = of_side.push(&self.side, part);
            pushed.map_err(|place| too_far(at * self.side.len() + place, side_width, "side symbol"))?;
        }
        side_worth.add(&of_side);
        let mut encoder = Encoder::new(symbols.len());
        let tell = |row: usize, told: &mut Vec<Known<'a>>| {
            let told = self.prior.tell(&side[row * side_width..][..side_width], told);
            told.map_err(|error| Error::Failed(format!("row {}: {error}", first + row)))
        };
        self.walk(symbols.len() / width, tell, |row, known| {
            let pushed = encoder.push(known, &symbols[row * width..]);
            pushed.map_err(|place| too_far(row * width + place, width, "symbol"))
        })?;
        worth.add(&encoder);
        let all: Vec<Vec<u8>> =
            (side_width > 0).then(|| of_side.finish()).into_iter().flatten().chain(encoder.finish()).collect();
        let mut bytes = Vec::new();
        all[..all.len() - 1].iter().for_each(|stream| put(&mut bytes, stream.len() as u64));
        all.iter().for_each(|stream| bytes.extend(stream));
        Ok(bytes)
    }

    /// Back to the symbols of so many rows.
    ///
    /// # Errors
    /// When they are not the bytes of a block.
    pub fn decode(&self, mut bytes: &[u8], rows: usize) -> Result<Vec<i32>, Wrong> {
        let [side_width, width] = [self.prior.side_symbols(), self.prior.symbols()];
        let side_streams = if side_width > 0 { streams(rows * side_width) } else { 0 };
        let count = side_streams + streams(rows * width);
        let mut lengths = Vec::new();
        for _ in 1..count {
            let length = take(&mut bytes).and_then(|length| usize::try_from(length).ok());
            lengths.push(length.ok_or(Damage::TooShort)?);
        }
        let mut all = Vec::new();
        for length in lengths {
            all.push(bytes.split_off(..length).ok_or(Damage::TooShort)?);
        }
        all.push(bytes);
        let (of_side, of_symbols) = all.split_at(side_streams);
        let mut side = room(rows * side_width)?;
        if side_width > 0 {
            let mut decoder = Decoder::new(of_side)?;
            for first in (0..rows).step_by(ROWS) {
                decoder.take(&self.side[..ROWS.min(rows - first) * side_width], &mut side)?;
            }
            decoder.end()?;
        }
        let (mut decoder, mut symbols) = (Decoder::new(of_symbols)?, room(rows * width)?);
        let tell = |row: usize, told: &mut Vec<Known<'a>>| {
            self.prior.tell(&side[row * side_width..][..side_width], told).map_err(|_| Wrong::Side)
        };
        self.walk(rows, tell, |_, known| Ok(decoder.take(known, &mut symbols)?))?;
        decoder.end()?;
        Ok(symbols)
    }
}

fn room(count: usize) -> Result<Vec<i32>, Wrong> {
    let mut room = Vec::new();
    room.try_reserve_exact(count).map_err(|_| Wrong::Memory)?;
    Ok(room)
}
