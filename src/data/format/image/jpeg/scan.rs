//! Reads the codes of a scan and makes planes of them, at the size that is needed.

use super::header::{Component, Header, ZIGZAG};
use super::huffman::{Bits, Table};
use super::transform::inverse;

/// The values of a component.
pub struct Plane {
    /// Values in a row, those of whole units.
    pub stride: usize,
    /// The values.
    pub values: Vec<u8>,
}

/// What is needed to read a component.
struct Reader<'a> {
    /// Blocks in a unit, side by side and one below the other.
    blocks: [usize; 2],
    first: &'a Table,
    rest: &'a Table,
    quantization: &'a [f32; 64],
    /// Values of a block side by side and one below the other; none if the component is not wanted.
    side: Option<[usize; 2]>,
    plane: Plane,
    /// The first coefficient of the block before.
    before: i32,
}

/// Decodes the scan with so many values a block of each component, `None` for one that is not wanted. Nothing comes back
/// where the codes make no sense or end too early.
pub fn decode(header: &Header, bytes: &[u8], sides: &[Option<[usize; 2]>]) -> Option<Vec<Plane>> {
    // A single component is written block by block, whatever is said of blocks in a unit.
    let blocks_of = |component: &Component| if header.components.len() == 1 { [1; 2] } else { component.blocks };
    let most = |axis: usize| header.components.iter().map(|component| blocks_of(component)[axis]).max();
    let units = [header.width.div_ceil(8 * most(0)?), header.height.div_ceil(8 * most(1)?)];
    let mut readers = Vec::new();
    for (component, &side) in header.components.iter().zip(sides) {
        let blocks = blocks_of(component);
        let [width, height] = side.unwrap_or_default();
        let stride = units[0] * blocks[0] * width;
        readers.push(Reader {
            blocks,
            first: header.codes[0].get(component.tables[0])?.as_ref()?,
            rest: header.codes[1].get(component.tables[1])?.as_ref()?,
            quantization: header.quantization[component.quantization].as_ref()?,
            side,
            plane: Plane { stride, values: vec![0; stride * units[1] * blocks[1] * height] },
            before: 0,
        });
    }
    let mut bits = Bits::new(bytes.get(header.scan..)?);
    for unit in 0..units[0] * units[1] {
        if header.restart > 0 && unit > 0 && unit % header.restart == 0 {
            bits.restart(((unit / header.restart - 1) % 8) as u8)?;
            readers.iter_mut().for_each(|reader| reader.before = 0);
        }
        for reader in &mut readers {
            reader.unit(&mut bits, [unit % units[0], unit / units[0]])?;
        }
        if bits.is_over() {
            return None;
        }
    }
    Some(readers.into_iter().map(|reader| reader.plane).collect())
}

impl Reader<'_> {
    /// Reads the blocks of a unit.
    fn unit(&mut self, bits: &mut Bits<'_>, unit: [usize; 2]) -> Option<()> {
        let [across, down] = self.blocks;
        for number in 0..across * down {
            match self.side {
                None => self.pass_over(bits)?,
                Some(side) => {
                    let mut coefficients = [0.0; 64];
                    let is_flat = self.block(bits, &mut coefficients)?;
                    let x = (unit[0] * across + number % across) * side[0];
                    let y = (unit[1] * down + number / across) * side[1];
                    let stride = self.plane.stride;
                    inverse(&coefficients, is_flat, side, &mut self.plane.values[y * stride + x..], stride);
                }
            }
        }
        Some(())
    }

    /// Reads a block's coefficients; whether there are none but the first.
    #[inline]
    fn block(&mut self, bits: &mut Bits<'_>, coefficients: &mut [f32; 64]) -> Option<bool> {
        let size = bits.symbol(self.first).filter(|&size| size < 16)?;
        self.before = self.before.wrapping_add(bits.number(u32::from(size)));
        coefficients[0] = self.before as f32 * self.quantization[0];
        let mut at = 1;
        while at < 64 {
            let symbol = bits.symbol(self.rest)?;
            let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            match size {
                0 if zeros == 15 => at += 16,
                0 => break,
                _ => {
                    at += zeros;
                    let value = bits.number(size);
                    let place = *ZIGZAG.get(at)?;
                    coefficients[usize::from(place & 63)] = value as f32 * self.quantization[at];
                    at += 1;
                }
            }
        }
        Some(at == 1)
    }

    /// Reads a block that is not wanted.
    fn pass_over(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        let size = bits.symbol(self.first).filter(|&size| size < 16)?;
        bits.number(u32::from(size));
        let mut at = 1;
        while at < 64 {
            let symbol = bits.symbol(self.rest)?;
            let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            match size {
                0 if zeros == 15 => at += 16,
                0 => break,
                _ => {
                    bits.number(size);
                    at += zeros + 1;
                }
            }
        }
        Some(())
    }
}
