//! A picture of any size as the rows of a file: tiles of one size, from left to right and from top to bottom.
//!
//! Where the picture ends before its last tiles do, they have its last pixels over and over, which whoever reads them cuts off.

use super::numbers::{put, take};
use super::refused::Refused;

/// Most pixels of a picture, 2²⁶: as many as a picture that is read has, if nothing is said.
const MOST_PIXELS: u64 = 1 << 26;
/// Most pixels of a tile, which pass through a network at once.
const MOST_OF_TILE: u64 = 1 << 20;

/// A picture, and the tiles it is cut into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Height and width in pixels.
    pub size: [usize; 2],
    /// Height and width of a tile.
    pub tile: [usize; 2],
}

impl Picture {
    /// A picture of this size in tiles of that size.
    ///
    /// # Errors
    /// When there is none, or it or a tile is larger than a file holds.
    pub fn new(size: [usize; 2], tile: [usize; 2]) -> Result<Self, Refused> {
        let pixels = |[height, width]: [usize; 2]| (height as u64).checked_mul(width as u64).filter(|&all| all > 0);
        let fits =
            pixels(size).is_some_and(|all| all <= MOST_PIXELS) && pixels(tile).is_some_and(|all| all <= MOST_OF_TILE);
        match fits {
            true => Ok(Picture { size, tile }),
            false => Err(Refused::Picture { size, tile, most: [MOST_PIXELS, MOST_OF_TILE] }),
        }
    }

    /// Tiles from top to bottom, and from left to right.
    pub fn grid(&self) -> [usize; 2] {
        [self.size[0].div_ceil(self.tile[0]), self.size[1].div_ceil(self.tile[1])]
    }

    /// All of them.
    pub fn tiles(&self) -> usize {
        self.grid().iter().product()
    }

    /// Pixels of the picture.
    pub fn pixels(&self) -> usize {
        self.size.iter().product()
    }

    /// Adds its numbers.
    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        self.size.iter().chain(&self.tile).for_each(|&number| put(bytes, number as u64));
    }

    /// Takes them from the front of some bytes.
    pub(super) fn take(bytes: &mut &[u8]) -> Result<Self, Refused> {
        let mut numbers = [0; 4];
        for number in &mut numbers {
            let found = take(bytes).ok_or(Refused::Header)?;
            // What this machine cannot count is too large as well.
            *number = usize::try_from(found).unwrap_or(usize::MAX);
        }
        let [height, width, down, right] = numbers;
        Picture::new([height, width], [down, right])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_as_many_tiles_as_cover_it() {
        for (size, tile, grid) in [
            ([1, 1], [32, 32], [1, 1]),
            ([33, 7], [32, 32], [2, 1]),
            ([700, 1000], [256, 256], [3, 4]),
            ([64, 64], [32, 32], [2, 2]),
        ] {
            let picture = Picture::new(size, tile).unwrap();
            assert_eq!((picture.grid(), picture.tiles()), (grid, grid[0] * grid[1]));
            let mut bytes = Vec::new();
            picture.put(&mut bytes);
            assert_eq!(Picture::take(&mut &bytes[..]), Ok(picture));
            assert_eq!(Picture::take(&mut &bytes[..bytes.len() - 1]), Err(Refused::Header));
        }
    }

    #[test]
    fn pictures_without_end_are_refused() {
        for (size, tile) in [
            ([0, 5], [8, 8]),
            ([5, 5], [8, 0]),
            ([1 << 14, 1 << 13], [8, 8]),
            ([usize::MAX, usize::MAX], [8, 8]),
            ([5, 5], [1 << 12, 1 << 12]),
        ] {
            let problem = Picture::new(size, tile).unwrap_err().to_string();
            assert!(problem.contains(&size[0].to_string()) && problem.contains("67108864"), "{problem}");
        }
    }
}
