//! Arrow's files and streams; Feather of version 2 is such a file.

use std::io::Cursor;
use std::path::Path;

use arrow_ipc::reader::{FileReader, StreamReader, read_footer_length};
use arrow_ipc::{Block, Footer, RecordBatch, root_as_footer, root_as_message};
use arrow_schema::ArrowError;

use super::gathered::Gathered;
use super::{MOST_UNPACKED, QUOTED, Table};
use crate::data::found::Listener;
use crate::data::options::DataOptions;
use crate::error::{Error, Result, shortened};

/// How often its packed size a part may unpack to: what the longest run of zstd does.
const MOST_EXPANSION: u64 = 1 << 15;

/// Reads a file or a stream of Arrow.
pub fn read(path: &Path, bytes: Vec<u8>, options: &DataOptions, listener: &mut dyn Listener) -> Result<Table> {
    let damaged = |found: &dyn std::fmt::Display| {
        let found = found.to_string();
        Error::input(path, format!("is damaged or cut off, expected Arrow or Feather ({})", shortened(&found, QUOTED)))
    };
    let failed = |error: ArrowError| damaged(&error);
    if bytes.starts_with(b"ARROW1") {
        checked(&bytes).map_err(|problem| damaged(&problem))?;
        let schema = FileReader::try_new(Cursor::new(&bytes), None).map_err(failed)?.schema();
        let mut gathered = Gathered::new(path, bytes.len(), schema.fields(), options, listener)?;
        let reader = FileReader::try_new(Cursor::new(&bytes), Some(gathered.places())).map_err(failed)?;
        for batch in reader {
            gathered.push(&batch.map_err(failed)?, listener)?;
        }
        return Ok(gathered.table());
    }
    checked_stream(&bytes).map_err(|problem| damaged(&problem))?;
    let schema = StreamReader::try_new(Cursor::new(&bytes), None).map_err(failed)?.schema();
    let mut gathered = Gathered::new(path, bytes.len(), schema.fields(), options, listener)?;
    let reader = StreamReader::try_new(Cursor::new(&bytes), Some(gathered.places())).map_err(failed)?;
    for batch in reader {
        gathered.push(&batch.map_err(failed)?, listener)?;
    }
    Ok(gathered.table())
}

/// Refuses a file whose parts lie outside of it, or would unpack to more than there may be: the reader allocates what a
/// file says before it looks whether it is so.
fn checked(bytes: &[u8]) -> Result<(), String> {
    let end = bytes.len().checked_sub(10).ok_or("shorter than its end mark")?;
    let tail = bytes[end..].try_into().map_err(|_| "shorter than its end mark")?;
    let length = read_footer_length(tail).map_err(|error| error.to_string())?;
    let start = end.checked_sub(length).ok_or("a footer longer than the file")?;
    let footer: Footer<'_> = root_as_footer(&bytes[start..end]).map_err(|error| error.to_string())?;
    let blocks = [footer.dictionaries(), footer.recordBatches()].into_iter().flatten().flatten();
    let mut unpacked = 0;
    for block in blocks {
        unpacked += unpacked_size(bytes, block)?;
        if unpacked > MOST_UNPACKED {
            return Err(format!("unpacks to more than {MOST_UNPACKED} bytes"));
        }
    }
    Ok(())
}

/// Bytes that a block of a file unpacks to.
fn unpacked_size(bytes: &[u8], block: &Block) -> Result<u64, String> {
    let outside = || "a block outside of the file".to_string();
    let place = |number: i64| usize::try_from(number).map_err(|_| outside());
    let (start, head, body) =
        (place(block.offset())?, place(i64::from(block.metaDataLength()))?, place(block.bodyLength())?);
    let middle = start.checked_add(head).ok_or_else(outside)?;
    let end = middle.checked_add(body).ok_or_else(outside)?;
    let (message, body) = (bytes.get(start..middle).ok_or_else(outside)?, bytes.get(middle..end).ok_or_else(outside)?);
    let skipped = if message.starts_with(&[0xff; 4]) { 8 } else { 4 };
    message_size(message.get(skipped..).ok_or_else(outside)?, body)
}

/// Bytes that the body of a message unpacks to.
fn message_size(message: &[u8], body: &[u8]) -> Result<u64, String> {
    let message = root_as_message(message).map_err(|error| error.to_string())?;
    let batch = match (message.header_as_record_batch(), message.header_as_dictionary_batch()) {
        (Some(batch), _) => Some(batch),
        (None, Some(dictionary)) => dictionary.data(),
        (None, None) => None,
    };
    batch.map_or(Ok(0), |batch| batch_size(&batch, body))
}

/// Bytes that a batch unpacks to.
fn batch_size(batch: &RecordBatch<'_>, body: &[u8]) -> Result<u64, String> {
    let outside = || "a buffer outside of its block".to_string();
    let mut unpacked = 0u64;
    for buffer in batch.buffers().into_iter().flatten() {
        let (start, length) = (
            usize::try_from(buffer.offset()).map_err(|_| outside())?,
            usize::try_from(buffer.length()).map_err(|_| outside())?,
        );
        let end = start.checked_add(length).ok_or_else(outside)?;
        let packed = body.get(start..end).ok_or_else(outside)?;
        let size = match packed.first_chunk::<8>() {
            Some(size) if batch.compression().is_some() => i64::from_le_bytes(*size),
            _ => -1,
        };
        // A length of -1 says that it is not packed.
        let size = u64::try_from(size).unwrap_or(length as u64);
        if size > (length as u64).saturating_mul(MOST_EXPANSION) {
            return Err(format!("{length} bytes that should unpack to {size}"));
        }
        unpacked = unpacked.saturating_add(size);
    }
    let rows = u64::try_from(batch.length()).map_err(|_| "a negative number of rows")?;
    if rows > unpacked.saturating_mul(8) {
        return Err(format!("{rows} rows in {unpacked} bytes"));
    }
    Ok(unpacked)
}

/// The same for a stream: messages one behind the other, each with its length before it.
fn checked_stream(bytes: &[u8]) -> Result<(), String> {
    let (mut place, mut unpacked) = (0usize, 0u64);
    let cut = || "cut off within a message".to_string();
    loop {
        let skipped = if bytes.get(place..place + 4) == Some(&[0xff; 4][..]) { 4 } else { 0 };
        let Some(length) = bytes.get(place + skipped..).and_then(|rest| rest.first_chunk::<4>()) else { return Ok(()) };
        let length = usize::try_from(i32::from_le_bytes(*length)).map_err(|_| cut())?;
        if length == 0 {
            return Ok(());
        }
        let start = place + skipped + 4;
        let message = bytes.get(start..start + length).ok_or_else(cut)?;
        let said = root_as_message(message).map_err(|error| error.to_string())?;
        let body = usize::try_from(said.bodyLength()).map_err(|_| cut())?;
        let end = (start + length).checked_add(body).ok_or_else(cut)?;
        unpacked = unpacked.saturating_add(message_size(message, bytes.get(start + length..end).ok_or_else(cut)?)?);
        if unpacked > MOST_UNPACKED {
            return Err(format!("unpacks to more than {MOST_UNPACKED} bytes"));
        }
        place = end;
    }
}
