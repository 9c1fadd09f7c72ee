//! What several devices can learn together.

use super::RunConfig;
use super::objective::refuse;
use crate::error::{Error, Result};

impl RunConfig {
    /// Refuses to be learnt by so many processes, or devices, together, where a batch does not fall into as many parts for each of
    /// them, or is more than the mean of its parts.
    ///
    /// # Errors
    /// [`Error::Usage`] that says what was expected instead.
    pub fn check_members(&self, size: usize) -> Result<()> {
        if size < 2 {
            return Ok(());
        }
        let (parts, rows) = (size.saturating_mul(self.optimiser.accumulate()), self.batch_size);
        if !rows.is_multiple_of(parts) {
            let each = if parts == size { String::new() } else { format!(" in {} parts each", parts / size) };
            let expected = format!("a multiple of {parts}, since {size} processes share a batch{each}");
            return refuse("--batch-size", rows, &expected);
        }
        let whole = self.objectives().iter().find_map(|objective| objective.of_whole_batch());
        whole.map_or(Ok(()), |key| {
            let problem = "is learnt from a whole batch at a time, so several processes cannot share it; start one";
            Err(Error::Usage(format!("{key}: {problem}")))
        })
    }
}
