//! A text in stretches of whole records, one after the other in the same memory: what is read stays in the processor's
//! cache until its cells are told, and no more of the file than that is in memory.

use std::ops::Range;
use std::path::Path;

use memchr::{memchr, memchr_iter};

use super::record::{self, Flaw};
use super::source::Source;
use crate::error::{Error, Result};
use crate::threads::current_num_threads;

/// Bytes of a piece that a thread reads at once.
const PIECE: usize = 1 << 19;
/// Pieces of a stretch for each thread, so that none waits long for another.
const PIECES: usize = 4;

/// Goes through a text.
pub struct Stretches<'s> {
    path: &'s Path,
    source: &'s Source,
    separator: u8,
    /// Bytes of a piece.
    piece: usize,
    /// Where the file is read on.
    next: usize,
    buffer: Vec<u8>,
    /// The part of the buffer that was read and belongs to no stretch yet.
    rest: Range<usize>,
}

/// Whole records.
pub struct Stretch<'b> {
    /// Their bytes.
    pub bytes: &'b [u8],
    /// Where its pieces begin, each between records, and its end.
    pub cuts: Vec<usize>,
}

impl<'s> Stretches<'s> {
    /// Those of a text from `start` on, which is between records.
    pub fn of(path: &'s Path, source: &'s Source, separator: u8, start: usize) -> Self {
        Stretches { path, source, separator, piece: PIECE, next: start, buffer: Vec::new(), rest: 0..0 }
    }

    /// The next one, which is behind so many lines, unless the text is at its end. A record longer than a stretch makes it longer.
    ///
    /// # Errors
    /// When the file cannot be read, a quote is not closed, or memory does not suffice for a record.
    pub fn next(&mut self, lines: usize) -> Result<Option<Stretch<'_>>> {
        self.buffer.copy_within(self.rest.clone(), 0);
        self.rest = 0..self.rest.len();
        let mut has_quotes = memchr(b'"', &self.buffer[self.rest.clone()]).is_some();
        loop {
            let left = self.source.length() - self.next;
            if left == 0 && self.rest.is_empty() {
                return Ok(None);
            }
            let more = (self.piece * PIECES * current_num_threads()).max(self.rest.end).min(left);
            let end = self.rest.end + more;
            if self.buffer.len() <= end {
                // One more for a line feed that is missing at the end.
                let memory = |_| Error::memory(self.path.display(), end);
                self.buffer.try_reserve_exact(end + 1 - self.buffer.len()).map_err(memory)?;
                self.buffer.resize(end + 1, 0);
            }
            has_quotes |= self.source.fill(self.path, self.next, &mut self.buffer[self.rest.end..end])?;
            self.next += more;
            self.rest.end = end;
            let is_last = more == left;
            if is_last && self.buffer[..end].last() != Some(&b'\n') {
                self.buffer[end] = b'\n';
                self.rest.end += 1;
            }
            let bytes = &self.buffer[self.rest.clone()];
            let cuts = record::pieces(bytes, self.separator, self.piece, (has_quotes, is_last))
                .map_err(|flaw| located(self.path, lines, bytes, flaw))?;
            if let Some(end) = cuts.last().copied().filter(|end| *end > 0) {
                self.rest.start = end;
                return Ok(Some(Stretch { bytes: &self.buffer[..end], cuts }));
            }
        }
    }
}

/// What is wrong with a text that has so many lines before these bytes of it.
pub fn located(path: &Path, lines: usize, bytes: &[u8], flaw: Flaw) -> Error {
    let line = lines + line_of(bytes, flaw.place);
    Error::input(path, format!("line {line}: {}", flaw.problem))
}

/// The line on which a byte of a text is.
pub fn line_of(bytes: &[u8], place: usize) -> usize {
    memchr_iter(b'\n', &bytes[..place.min(bytes.len())]).count() + 1
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_all_of_a_text_and_end_where_records_end() {
        let text = "a,5\"\n\"x\n\ny\",2\nb,\"\"\n\"q\"\"\n\",1\n".repeat(40) + "\"a long\n\nrecord\n\",\"\"\nlast,3";
        let (path, source) = (Path::new("x"), Source::Bytes(text.clone().into()));
        let all = record::pieces((text.clone() + "\n").as_bytes(), b',', 1, (true, true)).unwrap();
        for piece in 1..40 {
            let mut stretches = Stretches { piece, ..Stretches::of(path, &source, b',', 0) };
            let (mut read, mut begins) = (Vec::new(), vec![0]);
            while let Some(stretch) = stretches.next(0).unwrap() {
                begins.extend(stretch.cuts[1..].iter().map(|cut| read.len() + cut));
                read.extend_from_slice(stretch.bytes);
            }
            assert_eq!(read, (text.clone() + "\n").as_bytes(), "{piece}");
            assert!(begins.iter().all(|begin| all.contains(begin)), "{piece}: {begins:?}");
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_is_found_on_its_line() {
        let source = Source::Bytes(b"a\nb\n\"c\nd\n".to_vec());
        let mut stretches = Stretches { piece: 1, ..Stretches::of(Path::new("x"), &source, b',', 0) };
        let mut lines = 0;
        let problem = loop {
            match stretches.next(lines) {
                Ok(stretch) => lines += line_of(stretch.unwrap().bytes, usize::MAX) - 1,
                Err(error) => break error.to_string(),
            }
        };
        assert!(problem.starts_with("x: line 3: a quote that is not closed"), "{problem}");
    }
}
