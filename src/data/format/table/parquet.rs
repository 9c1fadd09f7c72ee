//! Parquet.

use std::fs::File;
use std::path::Path;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::gathered::Gathered;
use super::guarded::guarded;
use super::{QUOTED, Table};
use crate::data::found::Listener;
use crate::data::options::DataOptions;
use crate::error::{Error, Result, shortened};

/// Rows that are read at once.
const BATCH: usize = 1 << 13;

/// Reads a file of Parquet.
pub fn read(path: &Path, options: &DataOptions, listener: &mut dyn Listener) -> Result<Table> {
    let file = File::open(path).map_err(Error::io(path, "read"))?;
    let size = file.metadata().map_err(Error::io(path, "read"))?.len() as usize;
    let damaged = |error: &dyn std::fmt::Display| {
        let found = error.to_string();
        Error::input(path, format!("is damaged or cut off, expected Parquet ({})", shortened(&found, QUOTED)))
    };
    let read = guarded(|| {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(&error))?;
        let mut gathered = Gathered::new(path, size, builder.schema().fields(), options, listener)?;
        let rows: u64 = builder.metadata().row_groups().iter().map(|group| group.num_rows().max(0) as u64).sum();
        gathered.admit(rows)?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), gathered.places());
        let batches = builder.with_batch_size(BATCH).with_projection(mask).build().map_err(|error| damaged(&error))?;
        for batch in batches {
            gathered.push(&batch.map_err(|error| damaged(&error))?, listener)?;
        }
        Ok(gathered.table())
    });
    read.unwrap_or_else(|said| Err(damaged(&said)))
}
