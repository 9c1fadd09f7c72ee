//! A text is gone through, stretch by stretch: threads read pieces of one, then each column takes its parts of them.

use std::path::Path;

use super::column::{Gathered, Origin};
use super::piece::{self, Kind, Part, Piece, Whole};
use super::record::{Flaw, cell, cells, skip_empty};
use super::source::Source;
use super::stretch::{Stretches, line_of, located};
use crate::data::format::table::MOST_ROWS;
use crate::error::{Error, Result};
use crate::threads::prelude::*;

/// The records of a text.
pub struct Records<'a> {
    /// The file, for messages.
    pub path: &'a Path,
    /// Where the text is.
    pub source: &'a Source,
    /// Where the first begins.
    pub start: usize,
    /// Lines before it.
    pub lines: usize,
}

/// What records hold.
pub struct Read {
    /// How many there are.
    pub rows: usize,
    /// Lines on which they are, and empty ones.
    pub lines: usize,
    /// Each column.
    pub columns: Vec<Gathered>,
}

impl Records<'_> {
    fn stretches(&self, whole: &Whole<'_>) -> Stretches<'_> {
        Stretches::of(self.path, self.source, whole.style.separator, self.start)
    }

    /// Reads them all. `told` hears how many there are.
    ///
    /// # Errors
    /// When the file cannot be read, or a record is not as it should be.
    pub fn read(&self, whole: &Whole<'_>, told: &mut dyn FnMut(usize)) -> Result<Read> {
        // A twentieth more than there should be, so that few grow; memory that is not written to is none.
        let likely = (self.source.length() - self.start) / whole.row.max(1) * 21 / 20 + 1;
        let mut columns: Vec<Gathered> = whole.kinds.iter().map(|kind| Gathered::of(*kind, likely)).collect();
        let mut stretches = self.stretches(whole);
        let (mut rows, mut lines, mut spares) = (0, self.lines, Vec::<Vec<Vec<f64>>>::new());
        while let Some(stretch) = stretches.next(lines)? {
            let cuts: Vec<&[u8]> = stretch.cuts.windows(2).map(|cut| &stretch.bytes[cut[0]..cut[1]]).collect();
            spares.resize_with(spares.len().max(cuts.len()), Vec::new);
            let read: Vec<Result<Piece<'_>, Flaw>> =
                cuts.par_iter().zip(&mut spares).map(|(bytes, spare)| piece::read(whole, bytes, spare)).collect();
            let (mut pieces, mut behind) = (Vec::with_capacity(read.len()), lines);
            for (piece, cut) in read.into_iter().zip(&stretch.cuts) {
                let moved = |flaw: Flaw| Flaw { place: flaw.place + cut, ..flaw };
                let piece = piece.map_err(|flaw| located(self.path, lines, stretch.bytes, moved(flaw)))?;
                let origin = Origin { text: piece.text, lines: behind, style: whole.style };
                rows += piece.rows;
                behind += piece.lines;
                pieces.push((origin, piece.parts));
            }
            lines = behind;
            if rows > MOST_ROWS {
                let problem = format!("line {lines}: more rows than {MOST_ROWS}, expected fewer");
                return Err(Error::input(self.path, problem));
            }
            columns.par_iter_mut().enumerate().for_each(|(column, gathered)| {
                pieces.iter().for_each(|(origin, parts)| gathered.append(&parts[column], origin));
            });
            for ((_, parts), spare) in pieces.into_iter().zip(&mut spares) {
                spare.extend(parts.into_iter().filter_map(Part::memory));
            }
            told(rows);
        }
        if rows == 0 {
            // Nothing says that a column holds words.
            columns.iter_mut().for_each(|column| *column = Gathered::of(Kind::Numbers, 0));
        }
        Ok(Read { rows, lines: lines - self.lines, columns })
    }

    /// The line on which the cell of a row in a column is: gone through once more, since it is only for a message.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn line(&self, whole: &Whole<'_>, mut row: usize, column: usize) -> Result<usize> {
        let mut stretches = self.stretches(whole);
        let mut lines = self.lines;
        while let Some(stretch) = stretches.next(lines)? {
            let text = std::str::from_utf8(stretch.bytes).unwrap_or_default();
            let mut place = skip_empty(text, 0);
            while place < text.len() {
                if row == 0 {
                    for _ in 0..column {
                        let Ok((_, end)) = cell(text, place, whole.style.separator) else { break };
                        place = end + 1;
                    }
                    return Ok(lines + line_of(stretch.bytes, place));
                }
                row -= 1;
                let Ok((_, next)) = cells(text, place, whole.style.separator, usize::MAX) else { break };
                place = skip_empty(text, next);
            }
            lines += line_of(stretch.bytes, stretch.bytes.len()) - 1;
        }
        Ok(lines)
    }
}
