//! The rows of a batch: which they are, what they hold, which of them count.

pub mod batch_gather;
pub mod batch_gather_shards;
pub mod batch_labels;
pub mod batch_rows;
pub mod gathered;
pub mod repeat_rows;
pub mod rows_per_sample;
pub mod valid_ones;
pub mod valid_share;
