//! What pixels of a result take of those of an image, in tables that were made when a plan was loaded.

use crate::ops::pool::PixelMap;

/// Shares along both axes, by results.
pub(in crate::device) struct Shares {
    /// Height and width of what is read.
    pub from: [usize; 2],
    /// Height and width of what is computed.
    pub to: [usize; 2],
    axes: [Axis; 2],
}

/// Along one axis: where those of each result begin, and the place and the weight of each.
struct Axis {
    begins: Vec<usize>,
    shares: Vec<(u32, f32)>,
}

impl Shares {
    /// Those of a map, or of its transpose.
    pub fn new(map: &impl PixelMap, transposed: bool) -> Self {
        let (size, output) = (map.size(), map.output().unwrap_or_default());
        let (from, to) = if transposed { (output, size) } else { (size, output) };
        let axis = |axis: usize| {
            let mut all: Vec<(usize, u32, f32)> = Vec::new();
            for share in map.shares(axis) {
                let (result, seen) = if transposed { (share.seen, share.result) } else { (share.result, share.seen) };
                all.push((result, seen as u32, share.weight as f32));
            }
            // Stable, so that each result takes them in the order of places.
            all.sort_by_key(|&(result, ..)| result);
            let begins = (0..=to[axis]).map(|result| all.partition_point(|&(of, ..)| of < result)).collect();
            Axis { begins, shares: all.into_iter().map(|(_, seen, weight)| (seen, weight)).collect() }
        };
        Shares { from, to, axes: [axis(0), axis(1)] }
    }

    /// Elements of whole rows of results, of so many channels, that one task takes: as many as are some thousands of shares.
    pub fn block(&self, channels: usize) -> usize {
        const SHARES: usize = 16 << 10;
        let [height, width] = self.to;
        let all = self.axes.iter().map(|axis| axis.shares.len()).product::<usize>() * channels;
        (SHARES * height / all.max(1)).max(1) * width * channels
    }

    /// Those of a result along an axis: places and weights.
    #[inline(always)]
    pub fn of(&self, axis: usize, result: usize) -> &[(u32, f32)] {
        let Axis { begins, shares } = &self.axes[axis];
        &shares[begins[result]..begins[result + 1]]
    }
}
