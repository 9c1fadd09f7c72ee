//! What images cost as a trained network codes them, and how good they come back.

use super::fidelity::Fidelity;
use super::others::bits_per_pixel;
use super::tiles::{byte, channels};
use crate::data::{ImageShape, Split};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::model::part::Part;
use crate::study::lone_part::LonePart;
use crate::study::symbols::Code;
use crate::train::{Checkpoint, Tuning};

/// Most images that coders are compared on.
const MOST_IMAGES: usize = 1000;
/// Most pixels of all of them.
const MOST_PIXELS: usize = 1 << 24;

/// What images cost and how good they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Bits of all of them over their pixels.
    pub bits_per_pixel: f64,
    /// How close they are.
    pub fidelity: Fidelity,
}

/// The images that coders are compared on, the first of a split.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The rows of the split that they are.
    pub split: Split,
    /// Their pixels, one behind the other.
    pub bytes: Vec<u8>,
    /// Their shape.
    pub shape: ImageShape,
}

impl Compared {
    /// The first images of a split of the data that the network of a checkpoint codes: 1,000, fewer where they have more than 2²⁴
    /// pixels; none where the network codes no images of bytes, or they have neither one channel nor three.
    ///
    /// # Errors
    /// When the checkpoint does not say what its rows are.
    pub fn of(checkpoint: &Checkpoint, split: &Split) -> Result<Option<Self>> {
        let shape = checkpoint.image()?;
        if !matches!(channels(checkpoint), Ok(1 | 3)) || split.width != shape.values() {
            return Ok(None);
        }
        let most = (MOST_PIXELS / (shape.height * shape.width).max(1)).clamp(1, MOST_IMAGES);
        let split = split.first(split.rows.min(most));
        let bytes = split.values(0..split.rows).into_iter().map(byte).collect();
        Ok((split.rows > 0).then_some(Compared { split, bytes, shape }))
    }

    /// How many there are.
    pub fn images(&self) -> usize {
        self.split.rows
    }
}

/// What the images cost in a file that the network of a checkpoint makes of them, all its bytes counted, and what comes back of it;
/// with it the bits a pixel by the tables that the file is coded with.
///
/// # Errors
/// When the network has no code, or the device fails.
pub fn measured(device: Box<dyn Device>, checkpoint: &Checkpoint, compared: &Compared) -> Result<(Measured, f64)> {
    let (code, choices) = (Code::of(checkpoint)?, Tuning::or_static(checkpoint.tuning.as_ref(), device.as_ref()));
    let mut part = LonePart::open(device, checkpoint, &choices, Part::Symbols)?;
    let written = code.compress(&mut part, (checkpoint, &choices), |part| part.run_split(&compared.split))?;
    let failed = |problem: crate::coding::file::Refused| Error::Failed(problem.to_string());
    let symbols = code.reader(&written.bytes).and_then(|reader| reader.all()).map_err(failed)?;
    part.turn(checkpoint, &choices, Part::Restore)?;
    let symbols: Vec<f32> = symbols.into_iter().map(|symbol| symbol as f32).collect();
    let restored: Vec<u8> = part.run(&symbols)?.into_iter().map(byte).collect();
    let of_bytes = |bytes: usize| bits_per_pixel(bytes, &compared.bytes, compared.shape);
    let fidelity = Fidelity::of(&compared.bytes, &restored, compared.shape);
    let measured = Measured { bits_per_pixel: of_bytes(written.bytes.len()), fidelity };
    let pixels = compared.bytes.len() / compared.shape.channels.max(1);
    Ok((measured, (written.bits + written.side_bits) / pixels.max(1) as f64))
}
