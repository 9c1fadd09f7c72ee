//! What the data sources of a plan are fed with: all rows of a split at once, or window by window.

use std::collections::BTreeMap;
use std::ops::Range;
#[cfg(feature = "native")]
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

use super::passage::Passage;
#[cfg(feature = "native")]
use super::reader::Order;
#[cfg(feature = "native")]
use super::streamed::Streamed;
use crate::data::{IMAGES, LABELS, NEIGHBOUR_DISTANCES, Split};
use crate::device::{Device, ProgramId};
use crate::error::{Error, Result};
use crate::graph::{Graph, Role};
use crate::model::holding::Holding;
use crate::ops::step::clock;
use crate::plan::Member;

/// Rows of a file that are waited for at a time: where they are not in memory yet, a disk brings several as fast as one.
const AT_ONCE: usize = 8;

/// Rows that a thread takes to copy.
const TAKEN: usize = 256;

/// Bytes of rows that are copied on their way to a device at a time.
const PIECE: usize = 16 << 20;

/// What objectives need of a split beside its rows and labels, by name, a word for each row: computed, not read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Further(BTreeMap<&'static str, Vec<u32>>);

impl Further {
    /// Whether a graph needs the distances of a split's rows to their neighbours.
    pub fn is_wanted(graph: &Graph) -> bool {
        let wanted = |name: &str| name.ends_with(NEIGHBOUR_DISTANCES);
        graph.sources().any(|(_, source)| source.role == Role::Data && wanted(&source.name))
    }

    /// These distances, one for each row.
    pub fn distances(distances: Vec<f32>) -> Self {
        Further(BTreeMap::from([(NEIGHBOUR_DISTANCES, words(distances))]))
    }

    /// The same with every row as far from its neighbours as any other: to measure how fast a step is.
    #[cfg(feature = "native")]
    pub fn assumed(rows: usize) -> Self {
        Further::distances(vec![1.0; rows])
    }
}

fn words(values: Vec<f32>) -> Vec<u32> {
    values.into_iter().map(f32::to_bits).collect()
}

/// Rows with all that plans need of them.
pub(crate) struct Rows {
    split: Split,
    further: Further,
}

impl Rows {
    /// Of a split, whose names no plan needs.
    pub fn new(split: &Split, further: Further) -> Self {
        Rows { split: split.without_names(), further }
    }

    /// Bytes of what is called `what` of a row on a device.
    fn stride(&self, what: &str) -> usize {
        if is_rows(what) { self.split.stride() } else { 4 }
    }

    /// Copies what is called `what` of these rows to `out`, which becomes as long as that is.
    pub fn copy(&self, what: &str, rows: &[u32], out: &mut Vec<u8>) -> Result<()> {
        out.resize(rows.len() * self.stride(what), 0);
        if is_rows(what) {
            self.copy_values(rows, out, if self.split.is_mapped() { AT_ONCE } else { 1 });
            return Ok(());
        }
        let further = self.further.0.get(what);
        if further.is_none() && what != LABELS {
            return Err(Error::graph(what, "is nothing that rows have"));
        }
        for (out, &row) in out.as_chunks_mut::<4>().0.iter_mut().zip(rows) {
            let row = row as usize;
            let word = further.map_or_else(|| u32::from(self.split.labels[row]), |words| words[row]);
            *out = word.to_le_bytes();
        }
        Ok(())
    }

    /// Copies the values of these rows, so many threads at a time, of which there may be fewer.
    fn copy_values(&self, rows: &[u32], out: &mut [u8], threads: usize) {
        let bytes = (TAKEN * self.split.stride()).max(1);
        let pieces = Mutex::new(rows.chunks(TAKEN).zip(out.chunks_mut(bytes)));
        let next = || pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || {
            while let Some((rows, out)) = next() {
                self.split.copy_rows(rows.iter().map(|&row| row as usize), out);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                // Where the system gives none, the others do its work.
                let _ = Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
    }
}

/// Whether this is the name of rows, or of a piece of them.
fn is_rows(what: &str) -> bool {
    what.starts_with(IMAGES)
}

/// Bytes of what is called `what` of the first rows of a split, as the sources of `holding` have it.
#[cfg(feature = "native")]
pub(super) fn first(rows: &Rows, what: &str, holding: &Holding, count: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let piece = piece(holding, what);
    rows.copy(what, &numbers(piece.start.min(count)..piece.end.min(count)), &mut bytes)?;
    Ok(bytes)
}

/// These rows one by one.
fn numbers(rows: Range<usize>) -> Vec<u32> {
    rows.map(|row| row as u32).collect()
}

/// The rows that a source holds.
fn piece(holding: &Holding, what: &str) -> Range<usize> {
    holding.pieces().into_iter().find(|(name, _)| name == what).map_or(0..holding.held, |(_, rows)| rows)
}

/// Names of the data of a split, `train`, `validation` or `test`, that a plan or graph has, without the split's own.
pub(super) fn wanted<'a>(names: impl Iterator<Item = (&'a str, Role)>, split: &str) -> Vec<String> {
    let data = names.filter(|(_, role)| *role == Role::Data);
    data.filter_map(|(name, _)| Some(name.strip_prefix(split)?.strip_prefix(' ')?.to_string())).collect()
}

/// A split on its way to a device.
pub(crate) struct Feed {
    #[cfg(feature = "native")]
    name: &'static str,
    /// How the device holds its rows.
    pub holding: Holding,
    /// The rows, where they come window by window.
    #[cfg(feature = "native")]
    rows: Option<Arc<Rows>>,
}

impl Feed {
    /// A split called `train`, `validation` or `test`, for `program`, which gets all of its rows if it is to hold them all.
    /// Other programs of the device that have the same sources share them.
    pub fn new(
        device: &mut dyn Device,
        program: ProgramId,
        name: &'static str,
        rows: Rows,
        holding: Holding,
    ) -> Result<Self> {
        #[cfg(feature = "native")]
        if holding.is_streamed() {
            return Ok(Feed { name, holding, rows: Some(Arc::new(rows)) });
        }
        #[cfg(not(feature = "native"))]
        if holding.is_streamed() {
            return Err(Error::Failed(format!(
                "{} holds at most {} of {} rows",
                device.name(),
                holding.held,
                holding.data.rows
            )));
        }
        for what in of_program(device, program, name) {
            load(device, program, name, &what, &rows, &holding)?;
        }
        Ok(Feed {
            #[cfg(feature = "native")]
            name,
            holding,
            #[cfg(feature = "native")]
            rows: None,
        })
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.holding.data.rows
    }

    /// A way of a program through the next batches of rows, so many steps, from where this clock stands on, which becomes the
    /// program's own.
    ///
    /// # Errors
    /// When the device fails, or the system gives no thread to read rows.
    pub fn begin(
        &self,
        device: &mut dyn Device,
        program: ProgramId,
        clock: [u32; clock::WORDS],
        steps: u32,
    ) -> Result<Passage> {
        self.passage(device, program, clock, Some(steps), Member::ALONE)
    }

    /// The same for as long as it is gone on; of batches that several learn from this device's share.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn begin_shares(
        &self,
        device: &mut dyn Device,
        program: ProgramId,
        clock: [u32; clock::WORDS],
    ) -> Result<Passage> {
        self.passage(device, program, clock, None, self.holding.member)
    }

    fn passage(
        &self,
        device: &mut dyn Device,
        program: ProgramId,
        mut clock: [u32; clock::WORDS],
        steps: Option<u32>,
        member: Member,
    ) -> Result<Passage> {
        let window = self.holding.window(clock[clock::BATCH_SIZE] as usize / member.size);
        clock[clock::WINDOW] = steps.map_or(window, |steps| window.min(steps));
        device.write(program, "clock", bytemuck::cast_slice(&clock))?;
        #[cfg(feature = "native")]
        if let Some(rows) = self.rows.clone() {
            let names = of_program(device, program, self.name);
            let sources = names.into_iter().map(|what| (format!("{} {what}", self.name), what)).collect();
            let order = Order::new(clock, member);
            return Ok(Passage::through(program, Streamed::new(order, rows, sources, steps)?));
        }
        Ok(Passage::of_all(program))
    }
}

/// Names of the data of a split that a program has.
fn of_program(device: &dyn Device, program: ProgramId, split: &str) -> Vec<String> {
    wanted(device.plan(program).sources.iter().map(|(name, (role, _))| (name.as_str(), *role)), split)
}

/// Writes all of what is called `what` to a program.
fn load(
    device: &mut dyn Device,
    program: ProgramId,
    split: &str,
    what: &str,
    rows: &Rows,
    holding: &Holding,
) -> Result<()> {
    let (name, piece) = (format!("{split} {what}"), piece(holding, what));
    if let Some(bytes) = rows.split.in_place().filter(|_| is_rows(what)) {
        let stride = rows.split.stride();
        return device.write(program, &name, &bytes[piece.start * stride..piece.end * stride]);
    }
    let (mut bytes, stride) = (Vec::new(), rows.stride(what));
    let step = (PIECE / stride.max(1)).max(1);
    for first in piece.clone().step_by(step) {
        rows.copy(what, &numbers(first..(first + step).min(piece.end)), &mut bytes)?;
        device.write_part(program, &name, (first - piece.start) * stride, &bytes)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::Values;

    #[test]
    fn rows_are_copied_the_same_by_any_number_of_threads() {
        let (width, count) = (7, 1500);
        let bytes = (0..width * count).map(|i| (i * 31 % 251) as u8).collect();
        let labels = (0..count).map(|row| row as u16).collect();
        let rows = Rows::new(&Split::new(width, Values::of_bytes(bytes), labels, Vec::new()), Further::assumed(count));
        let order: Vec<u32> = (0..1111).map(|i| i * 7 % count as u32).collect();
        let mut plain = Vec::new();
        rows.copy(IMAGES, &order, &mut plain).unwrap();
        assert!(
            order.iter().zip(plain.chunks_exact(8)).all(|(&row, out)| out[..width] == *rows.split.raw(row as usize))
        );
        for threads in [2, 8] {
            let mut out = vec![0; plain.len()];
            rows.copy_values(&order, &mut out, threads);
            assert!(out == plain, "{threads} threads");
        }
        let mut words = vec![9; 3];
        rows.copy(LABELS, &[3, 1], &mut words).unwrap();
        assert_eq!(words, [3, 0, 0, 0, 1, 0, 0, 0]);
        rows.copy(NEIGHBOUR_DISTANCES, &[5], &mut words).unwrap();
        assert_eq!(words, 1.0f32.to_le_bytes());
        assert!(rows.copy("shoe size", &[5], &mut words).unwrap_err().to_string().contains("shoe size"));
    }
}
