//! Asymmetric numeral systems: a state that grows by what a symbol is worth, and bytes that keep it small.
//!
//! Source: Duda, "Asymmetric numeral systems" (2013), in the form with renormalisation by bytes of Giesen, "Interleaved entropy
//! coders" (2014). The state is in [2²³, 2³¹), shares are of 2¹⁶. What is decoded first is encoded last, so an encoder takes all
//! steps at once. A stream is complete when the state is where the encoder began and no byte is left: most damage shows there.

use super::table::TOTAL;

/// The state that encoding begins and decoding ends with.
const LOWEST: u32 = 1 << 23;

/// Bits of a slot.
const BITS: u32 = 16;

/// What one symbol takes of the slots: `frequency` of them from `start` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// First slot.
    pub start: u32,
    /// Number of slots, 1 to 2¹⁶.
    pub frequency: u32,
}

impl Step {
    /// Bits that it takes.
    pub fn bits(self) -> f64 {
        f64::from(BITS) - f64::from(self.frequency).log2()
    }
}

/// What is wrong with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It ends before all symbols are there.
    #[error("it ends too early")]
    TooShort,
    /// Something is left behind the last symbol, or the state is not where it began.
    #[error("it does not end with its last symbol")]
    NotAtItsEnd,
    /// It begins with a state that no encoder leaves.
    #[error("it begins with what no encoder writes")]
    NoState,
    /// A whole number in it is too large.
    #[error("a number in it is larger than any symbol")]
    TooLarge,
}

/// The bytes of these steps.
pub fn encode(steps: &[Step]) -> Vec<u8> {
    let mut state = LOWEST;
    let mut bytes = Vec::with_capacity(steps.len() + 4);
    for step in steps.iter().rev() {
        while u64::from(state) >= u64::from(step.frequency) << 15 {
            bytes.push(state as u8);
            state >>= 8;
        }
        state = ((state / step.frequency) << BITS) + state % step.frequency + step.start;
    }
    bytes.extend(state.to_be_bytes());
    bytes.reverse();
    bytes
}

/// A stream on its way back to symbols.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    state: u32,
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// Begins with a stream.
    ///
    /// # Errors
    /// When it has no four bytes, or begins with no state.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Damage> {
        let (first, rest) = bytes.split_first_chunk::<4>().ok_or(Damage::TooShort)?;
        let state = u32::from_le_bytes(*first);
        if !(LOWEST..1 << 31).contains(&state) {
            return Err(Damage::NoState);
        }
        Ok(Decoder { state, rest })
    }

    /// The slot of the next symbol.
    #[inline]
    pub fn slot(&self) -> u32 {
        self.state % TOTAL
    }

    /// Goes on behind the symbol that has the slot.
    ///
    /// # Errors
    /// When the stream ends too early.
    #[inline]
    pub fn pass(&mut self, step: Step) -> Result<(), Damage> {
        let mut state = step.frequency * (self.state >> BITS) + (self.state % TOTAL) - step.start;
        while state < LOWEST {
            let (byte, rest) = self.rest.split_first().ok_or(Damage::TooShort)?;
            state = (state << 8) | u32::from(*byte);
            self.rest = rest;
        }
        self.state = state;
        Ok(())
    }

    /// Ends behind the last symbol.
    ///
    /// # Errors
    /// When something is left.
    pub fn end(self) -> Result<(), Damage> {
        if self.state == LOWEST && self.rest.is_empty() { Ok(()) } else { Err(Damage::NotAtItsEnd) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::table::Table;
    use super::*;
    use crate::rng::{Rng, Stream, stream_key};

    #[test]
    fn nothing_is_four_bytes() {
        assert_eq!(encode(&[]), [0, 0, 0x80, 0]);
        Decoder::new(&[0, 0, 0x80, 0]).unwrap().end().unwrap();
    }

    #[test]
    fn what_is_encoded_comes_back_in_as_many_bytes_as_it_is_worth() {
        let mut rng = Rng::new(stream_key(1, Stream::Data));
        for masses in [vec![1], vec![1, 1], vec![1 << 29, 1, 1, 1 << 28], (1..200).collect()] {
            let table = Table::of_masses(&masses).unwrap();
            let symbols: Vec<usize> = (0..5000).map(|_| table.at(rng.below(TOTAL)).0).collect();
            let steps: Vec<Step> = symbols.iter().map(|&symbol| table.step(symbol).unwrap()).collect();
            let bytes = encode(&steps);
            let ideal = steps.iter().map(|step| step.bits()).sum::<f64>() / 8.0;
            assert!(bytes.len() as f64 <= 1.001 * ideal + 4.0, "{} bytes, {ideal} due", bytes.len());
            let mut decoder = Decoder::new(&bytes).unwrap();
            for &symbol in &symbols {
                let (found, step) = table.at(decoder.slot());
                assert_eq!(found, symbol);
                decoder.pass(step).unwrap();
            }
            decoder.end().unwrap();
            // A stream that is cut or goes on is refused.
            let all = |bytes: &[u8]| -> Result<(), Damage> {
                let mut decoder = Decoder::new(bytes)?;
                symbols.iter().try_for_each(|_| decoder.pass(table.at(decoder.slot()).1))?;
                decoder.end()
            };
            assert!(all(&bytes[..bytes.len() - 1]).is_err() && all(&[&bytes[..], &[0]].concat()).is_err());
        }
    }
}
