//! Why a file is not read.

use super::header::{Identity, VERSION};
use crate::coding::rans::Damage;

/// What is wrong with a file of codes, in the words that follow its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It begins like no file of codes.
    #[error("it is no file of codes: expected what 'gpu-ae compress' writes")]
    NoCodes,
    /// It is of another version.
    #[error("it is of version {0} of the format, expected {VERSION}")]
    Version(u8),
    /// The header does not agree with its checksum, or ends too early.
    #[error("its header is damaged: its bytes and their checksum do not agree")]
    Header,
    /// Another model made it.
    #[error("it was made by the model {found}, expected this run's, {expected}")]
    Model {
        /// The one that made it.
        found: Identity,
        /// The one that is to read it.
        expected: Identity,
    },
    /// The codes are not those of the model.
    #[error("its codes are of {found}, expected {expected} of this run")]
    Shape {
        /// What it has.
        found: String,
        /// What the model has.
        expected: String,
    },
    /// The picture that it says it has is none that a file has.
    #[error(
        "it says that it is a picture of {} x {} pixels in tiles of {} x {}: expected 1 to {} pixels, tiles of 1 to {}",
        .size[1], .size[0], .tile[1], .tile[0], .most[0], .most[1]
    )]
    Picture {
        /// Height and width of the picture.
        size: [usize; 2],
        /// Height and width of a tile.
        tile: [usize; 2],
        /// Most pixels of both.
        most: [u64; 2],
    },
    /// It has another number of rows than its picture has tiles.
    #[error("it has {rows} rows, expected {tiles}, the tiles of its picture")]
    Tiles {
        /// Rows that it has.
        rows: u64,
        /// Tiles of the picture.
        tiles: usize,
    },
    /// It has other blocks than its rows need.
    #[error(
        "it says that it has {rows} rows in blocks of {block}: expected at least one row a block, and no block of more than {most} rows"
    )]
    Blocks {
        /// Rows that it says it has.
        rows: u64,
        /// Rows of a block.
        block: u64,
        /// Most rows that a block may have.
        most: u64,
    },
    /// A block is damaged or not there.
    #[error("block {number} of {blocks}, at byte {offset}: {what}")]
    Block {
        /// Its number, from 1.
        number: u64,
        /// Number of blocks.
        blocks: u64,
        /// Where it begins in the file.
        offset: usize,
        /// What is wrong with it.
        what: Wrong,
    },
    /// Something follows the last block.
    #[error("{0} bytes follow its last block, expected none")]
    Longer(usize),
}

/// What is wrong with a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It is not all there.
    #[error("the file ends before it does")]
    Cut,
    /// The bytes are not those that were written.
    #[error("it is damaged: its bytes and their checksum do not agree")]
    Checksum,
    /// The checksum is right and the streams are not: no encoder of this program wrote it.
    #[error("its streams are damaged: {0}")]
    Stream(#[from] Damage),
    /// Side symbols are beyond what the hyper-decoder takes.
    #[error("its side code is beyond what the model takes")]
    Side,
    /// There is no room for its symbols.
    #[error("its symbols need more memory than the system gives")]
    Memory,
}
