//! Several streams at once: symbols go to them by turns, so that while one waits for a quotient or a byte another one goes on. Each
//! by itself is a stream as [`rans`] has them.

use super::prior::Known;
use super::rans::{self, Damage, Step};
use super::symbols;

/// Streams of many symbols.
pub const STREAMS: usize = 4;

/// Fewer symbols than these have one stream: each costs a state's four bytes and the length of its bytes.
const MANY: usize = 1 << 16;

/// Most streams of so many symbols.
pub fn streams(symbols: usize) -> usize {
    if symbols < MANY { 1 } else { STREAMS }
}

/// Symbols on their way to streams.
#[derive(Clone, Debug)]
pub struct Encoder {
    steps: Vec<Vec<Step>>,
}

impl Encoder {
    /// For so many symbols.
    pub fn new(symbols: usize) -> Self {
        let count = streams(symbols);
        Encoder { steps: vec![Vec::with_capacity(symbols.div_ceil(count)); count] }
    }

    /// Adds numbers, each with what is known of it: as many as a multiple of [`STREAMS`], unless they are the last.
    ///
    /// # Errors
    /// The place of the first that is too far from where it is expected.
    pub fn push(&mut self, known: &[Known<'_>], numbers: &[i32]) -> Result<(), usize> {
        let count = self.steps.len();
        for (place, (known, &number)) in known.iter().zip(numbers).enumerate() {
            let steps = &mut self.steps[place % count];
            symbols::push(steps, known.table, i64::from(number) - known.centre).map_err(|_| place)?;
        }
        Ok(())
    }

    /// The steps of all streams.
    pub fn steps(&self) -> impl Iterator<Item = Step> {
        self.steps.iter().flatten().copied()
    }

    /// The bytes of each stream.
    pub fn finish(self) -> Vec<Vec<u8>> {
        self.steps.iter().map(|steps| rans::encode(steps)).collect()
    }
}

/// Streams on their way back to symbols.
#[derive(Clone, Debug)]
pub struct Decoder<'a>(Vec<rans::Decoder<'a>>);

impl<'a> Decoder<'a> {
    /// Begins with the bytes of each stream, as many as [`streams`] says.
    ///
    /// # Errors
    /// When one of them is none.
    pub fn new(streams: &[&'a [u8]]) -> Result<Self, Damage> {
        let each: Result<Vec<rans::Decoder<'a>>, Damage> =
            streams.iter().map(|bytes| rans::Decoder::new(bytes)).collect();
        Ok(Decoder(each?))
    }

    /// Adds the next numbers, one for each that something is known of, as many as [`Encoder::push`] was given.
    ///
    /// # Errors
    /// When a stream ends too early, or holds a number that no encoder writes.
    pub fn take(&mut self, known: &[Known<'_>], numbers: &mut Vec<i32>) -> Result<(), Damage> {
        if let Ok(all) = <&mut [rans::Decoder<'a>; STREAMS]>::try_from(&mut self.0[..]) {
            // Copies, which can be in registers.
            let mut streams = all.clone();
            let (fours, rest) = known.as_chunks::<STREAMS>();
            for known in fours {
                let mut four = [0; STREAMS];
                for ((number, stream), known) in four.iter_mut().zip(&mut streams).zip(known) {
                    *number = next(stream, known)?;
                }
                numbers.extend(four);
            }
            for (stream, known) in streams.iter_mut().zip(rest) {
                numbers.push(next(stream, known)?);
            }
            *all = streams;
        } else if let [stream] = &mut self.0[..] {
            for known in known {
                numbers.push(next(stream, known)?);
            }
        }
        Ok(())
    }

    /// Ends behind the last symbol.
    ///
    /// # Errors
    /// When something is left.
    pub fn end(self) -> Result<(), Damage> {
        self.0.into_iter().try_for_each(rans::Decoder::end)
    }
}

#[inline]
fn next(stream: &mut rans::Decoder<'_>, known: &Known<'_>) -> Result<i32, Damage> {
    let distance = symbols::next(stream, known.table)?;
    i32::try_from(known.centre + distance).map_err(|_| Damage::TooLarge)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::gaussian::Tables;
    use super::*;

    /// Numbers around places, some of them far away.
    fn sample(count: usize) -> (Vec<Known<'static>>, Vec<i32>) {
        let tables = Tables::all().unwrap();
        let known = |n: usize| Known { centre: n as i64 % 5 - 2, table: tables.of(n % 60, (n % 16) as i64 - 8) };
        let number = |n: usize| if n.is_multiple_of(1000) { (n as i32 - 5000) * 30_000 } else { (n % 7) as i32 - 3 };
        ((0..count).map(known).collect(), (0..count).map(number).collect())
    }

    #[test]
    fn few_and_many_come_back_and_each_stream_is_one_by_itself() {
        for count in [0, 1, 3, MANY - 1, MANY, MANY + 3] {
            let (known, numbers) = sample(count);
            let mut encoder = Encoder::new(count);
            // In two parts, as blocks have them.
            let middle = count / 8 * 4;
            encoder.push(&known[..middle], &numbers[..middle]).unwrap();
            encoder.push(&known[middle..], &numbers[middle..]).unwrap();
            let bytes = encoder.finish();
            assert_eq!(bytes.len(), streams(count));
            let mut single = Vec::new();
            for (known, &number) in known.iter().zip(&numbers).skip(bytes.len() - 1).step_by(bytes.len()) {
                symbols::push(&mut single, known.table, i64::from(number) - known.centre).unwrap();
            }
            assert_eq!(rans::encode(&single), bytes[bytes.len() - 1], "{count}");
            let mut decoder = Decoder::new(&bytes.iter().map(|bytes| &bytes[..]).collect::<Vec<_>>()).unwrap();
            let mut back = Vec::new();
            decoder.take(&known[..middle], &mut back).unwrap();
            decoder.take(&known[middle..], &mut back).unwrap();
            decoder.end().unwrap();
            assert!(back == numbers, "{count}");
        }
    }

    #[test]
    fn what_is_too_far_is_told_by_its_place() {
        let tables = Tables::all().unwrap();
        let known = [0, 1 << 31].map(|centre| Known { centre, table: tables.of(3, 0) });
        assert_eq!(Encoder::new(2).push(&known, &[i32::MAX, -1]), Err(1));
        assert_eq!(Encoder::new(2).push(&known, &[i32::MIN, 7]), Err(0));
    }
}
