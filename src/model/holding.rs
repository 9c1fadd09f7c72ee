//! How a device holds the rows of a split: all of them, in as many pieces as its bindings ask for, or a window of them at a
//! time.

use std::ops::Range;

use super::graph::DataShape;
use crate::data::IMAGES;
use crate::error::Result;
use crate::graph::{Graph, Role, Var};
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::batch_gather_shards::BatchGatherShards;
use crate::ops::kernel::profile::Member;

/// Most bytes of a window: large enough that its way to a device costs more than its beginning, small enough to have
/// several of them under way.
const WINDOW: u64 = 32 << 20;

/// Bytes of what else there is for each row, such as a label.
const BESIDE: u64 = 4;

/// Rows of a split as a device holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// All rows.
    pub data: DataShape,
    /// Rows that are there at a time.
    pub held: usize,
    /// Rows of a piece; the last one may have fewer.
    pub shard: usize,
    /// Which of the devices that learn from these rows together holds them.
    pub member: Member,
}

/// All rows in one piece.
impl From<DataShape> for Holding {
    fn from(data: DataShape) -> Self {
        Holding { data, held: data.rows, shard: data.rows, member: Member::ALONE }
    }
}

impl Holding {
    /// All rows, in pieces of at most `largest` bytes, the largest source that the device can have.
    pub fn whole(data: DataShape, largest: u64) -> Self {
        let most = rows_within(data, largest);
        if data.rows <= most {
            return data.into();
        }
        // Pieces of about the same size.
        let pieces = data.rows.div_ceil(most);
        Holding { shard: data.rows.div_ceil(pieces), ..data.into() }
    }

    /// All rows, as [`whole`](Self::whole), if they take no more than `limit` bytes; else so many at a time, but at least the
    /// `batch` rows that a step needs.
    pub fn within(data: DataShape, largest: u64, limit: u64, batch: usize) -> Self {
        let rows = data.rows as u64;
        if row_bytes(data) * rows <= limit && BESIDE * rows <= largest {
            return Holding::whole(data, largest);
        }
        let held = rows_within(data, limit.min(WINDOW).min(largest)).max(batch).min(data.rows);
        Holding { held, shard: held, ..data.into() }
    }

    /// Whether rows come window by window.
    pub fn is_streamed(&self) -> bool {
        self.held < self.data.rows
    }

    /// Batches of this size in a window; 0 if all rows are there.
    pub fn window(&self, batch: usize) -> u32 {
        if self.is_streamed() { (self.held / batch.max(1)).max(1) as u32 } else { 0 }
    }

    /// Name of a source of the rows, behind the split's, with the rows that it holds of those that are there.
    pub fn pieces(&self) -> Vec<(String, Range<usize>)> {
        if self.shard >= self.held {
            return vec![(IMAGES.to_string(), 0..self.held)];
        }
        let firsts = (0..self.held).step_by(self.shard.max(1)).enumerate();
        firsts.map(|(n, first)| (format!("{IMAGES} {n}"), first..(first + self.shard).min(self.held))).collect()
    }

    /// The sources that hold the rows of a split: `train images`, or `train images 0`, `train images 1`, ….
    pub(crate) fn sources(&self, g: &mut Graph, split: &str) -> Vec<Var> {
        let ty = |rows: usize| DataShape { rows, ..self.data }.ty();
        let source =
            |(name, rows): (String, Range<usize>)| g.source(Role::Data, format!("{split} {name}"), ty(rows.len()));
        self.pieces().into_iter().map(source).collect()
    }

    /// The values of a batch, `[batch, features]`, whose row numbers are `rows`, out of these sources.
    ///
    /// # Errors
    /// Never for sources of this holding and row numbers.
    pub(crate) fn gather(&self, g: &mut Graph, sources: &[Var], rows: Var) -> Result<Var> {
        let features = self.data.features;
        match *sources {
            [data] => g.apply(BatchGather { features }, &[data, rows]),
            _ => g.apply(BatchGatherShards { features, shard_rows: self.shard }, &[&[rows], sources].concat()),
        }
    }
}

/// Bytes of a row.
fn row_bytes(data: DataShape) -> u64 {
    DataShape { rows: 1, ..data }.ty().bytes() as u64
}

/// Rows that so many bytes hold, one at least.
fn rows_within(data: DataShape, bytes: u64) -> usize {
    usize::try_from(bytes / row_bytes(data).max(1)).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ValueKind;

    const MIB: u64 = 1 << 20;

    fn data(rows: usize, features: usize, kind: ValueKind) -> DataShape {
        DataShape { rows, features, kind }
    }

    #[test]
    fn rows_are_whole_then_in_pieces_then_in_windows() {
        let mnist = data(60_000, 784, ValueKind::Byte);
        assert_eq!(Holding::within(mnist, 128 * MIB, 2048 * MIB, 500), mnist.into());
        let cifar = data(50_000, 3072, ValueKind::Byte);
        let pieces = Holding::within(cifar, 128 * MIB, 2048 * MIB, 500);
        assert_eq!((pieces.shard, pieces.is_streamed(), pieces.window(500)), (25_000, false, 0));
        let names: Vec<_> = pieces.pieces();
        assert_eq!(names, [("images 0".to_string(), 0..25_000), ("images 1".to_string(), 25_000..50_000)]);
        let windows = Holding::within(cifar, 128 * MIB, 100 * MIB, 500);
        assert_eq!((windows.held, windows.window(500)), ((WINDOW / 3072) as usize, 21));
        assert_eq!(windows.pieces(), [("images".to_string(), 0..windows.held)]);
    }

    #[test]
    fn a_window_holds_a_batch_at_least_and_all_rows_at_most() {
        let table = data(1000, 30, ValueKind::Float);
        assert_eq!(Holding::within(table, 128 * MIB, 0, 500).held, 500);
        assert_eq!(Holding::within(table, 128 * MIB, 0, 1000), table.into());
        assert_eq!(Holding::within(table, 128 * MIB, 120 * 64, 10).held, 64);
    }
}
