//! Memory of the CPU device: words that begin on a cache line, so that no wide load crosses one.

use std::fmt::Display;
use std::ops::{Deref, DerefMut};

use bytemuck::{Pod, Zeroable, cast_slice, cast_slice_mut};

use crate::error::Result;
use crate::plan::Place;
use crate::tensor::zeroed;

/// Floats of a cache line.
pub(in crate::device) const LINE: usize = 16;

/// The fewest rows of so many floats that are whole lines together, in floats.
pub(in crate::device) fn whole_lines(row: usize) -> usize {
    row * (LINE >> row.trailing_zeros().min(LINE.trailing_zeros()))
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u32; LINE]);

/// A fixed number of words.
#[derive(Default)]
pub(in crate::device) struct Words {
    lines: Vec<Line>,
    length: usize,
}

impl Words {
    /// So many zeros.
    pub fn zeros(length: usize) -> Self {
        Words { lines: vec![Line([0; LINE]); length.div_ceil(LINE)], length }
    }

    /// The same for what may be too much for the machine.
    ///
    /// # Errors
    /// When there is no memory for them; the message says what `what` needs.
    pub fn try_zeros(length: usize, what: impl Display) -> Result<Self> {
        Ok(Words { lines: zeroed(length.div_ceil(LINE), what)?, length })
    }

    /// The words as floats.
    pub fn floats(&self) -> &[f32] {
        cast_slice(self)
    }

    /// The words as floats, to be written.
    pub fn floats_mut(&mut self) -> &mut [f32] {
        cast_slice_mut(self)
    }
}

impl Deref for Words {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &cast_slice(&self.lines)[..self.length]
    }
}

impl DerefMut for Words {
    fn deref_mut(&mut self) -> &mut [u32] {
        &mut cast_slice_mut(&mut self.lines)[..self.length]
    }
}

/// Where a tensor lies in the device's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::device) struct Span {
    /// Number of the memory.
    pub memory: usize,
    /// First word.
    pub start: usize,
    /// Number of words.
    pub length: usize,
}

impl Span {
    /// The span of a place, given the memory of each of the plan's arenas.
    pub fn of(place: &Place, arenas: &[usize]) -> Self {
        Span { memory: arenas[place.arena], start: place.offset / 4, length: place.ty.bytes() / 4 }
    }

    /// The words.
    pub fn words(self, memory: &[Words]) -> &[u32] {
        &memory[self.memory][self.start..][..self.length]
    }

    /// The words as floats.
    pub fn floats(self, memory: &[Words]) -> &[f32] {
        cast_slice(self.words(memory))
    }

    /// The words, to be written.
    pub fn words_mut(self, memory: &mut [Words]) -> &mut [u32] {
        &mut memory[self.memory][self.start..][..self.length]
    }

    /// The floats, to be written, of the one memory that they lie in.
    pub fn part(self, words: &mut Words) -> &mut [f32] {
        &mut words.floats_mut()[self.start..][..self.length]
    }

    /// Whether the two share a word.
    pub fn overlaps(self, other: Span) -> bool {
        self.memory == other.memory && self.start < other.start + other.length && other.start < self.start + self.length
    }
}
