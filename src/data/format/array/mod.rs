//! Arrays of numbers: NumPy's files, IDX files, CIFAR's batches.
//!
//! Whatever a file says of itself, the memory it takes is at most 64 times what it holds, unpacked, and 66 megabytes: a header is
//! trusted with 64 before its elements have come. What is packed is refused where it says that it unpacks to more than 64
//! bytes for each of `data.most_pixels`.

pub(super) mod element;
pub(super) mod header;
pub(super) mod origin;

#[cfg(feature = "native")]
pub(in crate::data) mod cifar;
#[cfg(feature = "native")]
pub(in crate::data) mod files;
#[cfg(feature = "native")]
pub(in crate::data) mod names;
#[cfg(feature = "native")]
pub(in crate::data) mod pairs;

mod elements;
mod label;
mod layout;
pub mod memory;
#[cfg(feature = "native")]
mod named;
#[cfg(feature = "native")]
mod reading;
#[cfg(feature = "native")]
mod single;

#[cfg(feature = "native")]
use reading::{Rows, found};
#[cfg(feature = "native")]
pub use reading::{is_set, read};

use std::io::Read;

use crate::data::ImageShape;
use crate::data::found::Listener;
use crate::data::values::Values;
use crate::error::Result;
use header::Header;
use layout::Layout;
use origin::Origin;

/// The shape and values of an array of rows, whose input stands at its first element.
fn values(
    header: &Header,
    is_transposed: bool,
    input: &mut dyn Read,
    origin: &Origin,
    listener: &mut dyn Listener,
) -> Result<(ImageShape, Values)> {
    elements::is_numeric(header, origin)?;
    let layout = Layout::of(header, is_transposed, origin, listener)?;
    let values = elements::rows(header, &layout, input, origin, listener)?;
    Ok((layout.image, values))
}
