//! A part of a file as memory: rows larger than the memory are read as they are needed.

use std::fs::File;
use std::ops::Range;
use std::path::Path;

use memmap2::Mmap;

use crate::error::{Error, Result};

/// A part of a file, read by the system where it is looked at.
pub struct Mapped {
    map: Mmap,
    part: Range<usize>,
}

impl Mapped {
    /// Maps `part` of a file that nobody changes while it is mapped: one of the cache, which is written whole and under
    /// another name first, or a large array of the user's own. What happens if the latter is changed all the same is stated:
    /// values that are written into it are seen or not, and where it is cut short, the system ends the program (SIGBUS on Unix)
    /// when it looks there, as it does to every program that maps files. A new file of the same name leaves the mapping as it is; Windows refuses
    /// to put one there, or to remove the file, for as long as it is mapped.
    ///
    /// # Errors
    /// When the file cannot be read or is shorter.
    pub fn open(path: &Path, part: Range<usize>) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path, "read"))?;
        // SAFETY: what is mapped is a file of this program's cache, never written again once it bears its name, only
        // removed, which leaves the mapping as it is or fails; or a file of the user's that is only read here, as plain numbers of
        // which any bits are valid, and is theirs to leave alone meanwhile, as the documentation says.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }.map_err(Error::io(path, "read"))?;
        if part.end > map.len() {
            let problem = format!("cut off: expected {} bytes, found {}", part.end, map.len());
            return Err(Error::input(path, problem));
        }
        Ok(Mapped { map, part })
    }

    /// The bytes of the part.
    pub fn bytes(&self) -> &[u8] {
        &self.map[self.part.clone()]
    }
}
