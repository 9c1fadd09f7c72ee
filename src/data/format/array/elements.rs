//! The elements of an array as rows of values: taken from a stream, checked, and put in the order of images.

use std::io::Read;

use super::element::Kind;
use super::header::Header;
use super::layout::Layout;
use super::origin::Origin;
use crate::data::found::Listener;
use crate::data::values::Values;
use crate::error::{Error, Result};

/// Bytes that are taken at a time; every size of an element divides it.
const CHUNK: usize = 1 << 18;
/// Most memory taken on the word of a header alone; beyond it, memory grows with what arrives.
const MAX_TRUST: usize = 64 << 20;

/// Says what NumPy makes of elements that are no numbers.
pub(in crate::data::format) fn is_numeric(header: &Header, origin: &Origin) -> Result<()> {
    let advice = match header.element.kind {
        _ if header.element.is_number() => return Ok(()),
        Kind::Object => {
            "objects of Python are never unpickled, for a pickle can run any program; in NumPy, \
             numpy.stack(array).astype('float32') gives numbers where all rows are of one shape"
        }
        Kind::Text | Kind::Bytes => "such elements are no real numbers, though labels may be texts",
        _ => "such elements are no real numbers",
    };
    let expected = "expected bytes, whole numbers, bool, float16, float32 or float64";
    Err(origin.error(format!("is an array {}, {expected}; {advice}", header.spelt())))
}

/// Takes the elements, which are numbers, as rows laid out like this: bytes as bytes, everything else as f32.
///
/// # Errors
/// When there are fewer or more of them, or one is not finite; the message names the row.
pub(super) fn rows(
    header: &Header,
    layout: &Layout,
    input: &mut dyn Read,
    origin: &Origin,
    listener: &mut dyn Listener,
) -> Result<Values> {
    if header.element.is_byte() {
        let mut bytes = room::<u8>(header, origin)?;
        each_chunk(header, input, origin, |chunk| {
            bytes.try_reserve(chunk.len()).map_err(|_| Error::memory(origin.path.display(), bytes.len()))?;
            bytes.extend_from_slice(chunk);
            Ok(())
        })?;
        return Ok(Values::of_bytes(layout.arranged(bytes)));
    }
    let mut floats = room::<f32>(header, origin)?;
    let mut is_rounded = false;
    each_chunk(header, input, origin, |chunk| {
        let before = floats.len();
        floats.try_reserve(chunk.len()).map_err(|_| Error::memory(origin.path.display(), 4 * before))?;
        is_rounded |= header.element.floats(chunk, &mut floats);
        match floats[before..].iter().position(|value| !value.is_finite()) {
            Some(place) => Err(not_finite(header, before + place, origin)),
            None => Ok(()),
        }
    })?;
    if is_rounded {
        let whole = "whole numbers of more than 24 bits are rounded to the nearest that f32 has";
        listener.notice(format!("{}: {whole}", origin.name()));
    }
    Ok(Values::of_floats(layout.arranged(floats)))
}

/// The error of a value that is not finite, or not as an f32.
pub(super) fn not_finite(header: &Header, place: usize, origin: &Origin) -> Error {
    let rows = header.rows().max(1);
    let row = if header.is_fortran { place % rows } else { place / (header.count() / rows).max(1) };
    origin.error(format!("row {row} has a value that is not finite, expected numbers that an f32 can be"))
}

/// Takes the elements of an array of labels, each as its bytes.
pub(super) fn words(header: &Header, input: &mut dyn Read, origin: &Origin) -> Result<Vec<u8>> {
    let mut bytes = room::<u8>(header, origin)?;
    each_chunk(header, input, origin, |chunk| {
        bytes.try_reserve(chunk.len()).map_err(|_| Error::memory(origin.path.display(), bytes.len()))?;
        bytes.extend_from_slice(chunk);
        Ok(())
    })?;
    Ok(bytes)
}

/// Memory for what a header promises, as far as that is believed.
fn room<T>(header: &Header, origin: &Origin) -> Result<Vec<T>> {
    let trusted = header.count().min(MAX_TRUST / size_of::<T>());
    let mut room = Vec::new();
    room.try_reserve_exact(trusted).map_err(|_| Error::memory(origin.path.display(), trusted * size_of::<T>()))?;
    Ok(room)
}

/// Hands the bytes of all elements on, a part at a time, to the very end of the input: asking for one byte more also
/// makes a decompressor check its sum.
fn each_chunk(
    header: &Header,
    input: &mut dyn Read,
    origin: &Origin,
    mut with: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let size = header.element.size.max(1);
    let most = (CHUNK / size).max(1) * size;
    let (mut left, mut chunk) = (header.bytes(), Vec::new());
    let expected = || {
        let shape = header.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
        format!("expected {shape} elements of {} after the header", header.element.name)
    };
    while left > 0 {
        chunk.clear();
        let wanted = left.min(most as u64);
        (&mut *input).take(wanted).read_to_end(&mut chunk).map_err(|error| origin.unreadable(error))?;
        if (chunk.len() as u64) < wanted {
            let found = header.bytes() - left + chunk.len() as u64;
            let whole = header.bytes();
            return Err(origin.error(format!("truncated: {}, {whole} bytes, found {found}", expected())));
        }
        with(&chunk)?;
        left -= wanted;
    }
    chunk.clear();
    (&mut *input).take(1).read_to_end(&mut chunk).map_err(|error| origin.unreadable(error))?;
    if chunk.is_empty() { Ok(()) } else { Err(origin.error(format!("too long: {}, found more", expected()))) }
}
