//! Where decoded rows go: a file of the cache, or memory where there can be none.

use crate::data::cache::Draft;
use crate::error::{Error, Result};

/// Rows that are written one behind the other.
pub enum Sink {
    /// In a file that becomes one of the cache.
    Draft(Draft),
    /// In memory.
    Memory(Vec<u8>),
}

/// What is said where rows cannot be kept.
pub fn notice(problem: &Error) -> String {
    format!("decoded images are kept in memory alone: {problem}")
}

impl Sink {
    /// Appends rows. Where they cannot be written to the file, they are all in memory from then on, which is told.
    ///
    /// # Errors
    /// When there is no memory for them.
    pub fn write(&mut self, rows: &[u8]) -> Result<Option<String>> {
        if let Sink::Draft(draft) = self {
            match draft.write(rows) {
                Ok(()) => return Ok(None),
                Err(problem) => {
                    let told = notice(&problem);
                    self.move_to_memory()?;
                    self.write(rows)?;
                    return Ok(Some(told));
                }
            }
        }
        if let Sink::Memory(memory) = self {
            let needed = memory.len() + rows.len();
            memory.try_reserve(rows.len()).map_err(|_| Error::memory("decoded images", needed))?;
            memory.extend_from_slice(rows);
        }
        Ok(None)
    }

    /// Changes all rows, each of `width` bytes, to others. Where they cannot be written, they are in memory from then on,
    /// which is told.
    ///
    /// # Errors
    /// When they cannot be read back.
    pub fn change(&mut self, width: usize, change: fn(&[u8]) -> Vec<u8>) -> Result<Option<String>> {
        let mut told = None;
        if let Sink::Draft(draft) = self {
            match draft.changed(width.max(1 << 16), change) {
                Ok(changed) => {
                    *self = Sink::Draft(changed);
                    return Ok(None);
                }
                Err(problem) => told = Some(notice(&problem)),
            }
            self.move_to_memory()?;
        }
        if let Sink::Memory(memory) = self {
            *memory = change(memory);
        }
        Ok(told)
    }

    fn move_to_memory(&mut self) -> Result<()> {
        if let Sink::Draft(draft) = std::mem::replace(self, Sink::Memory(Vec::new())) {
            *self = Sink::Memory(draft.into_memory()?);
        }
        Ok(())
    }
}
