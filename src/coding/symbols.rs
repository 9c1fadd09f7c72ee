//! Whole numbers as symbols of a table: those that it knows are its symbols, the last of which is an escape for all others.
//!
//! Distances −T…T are the symbols 0…2T, 2T + 1 is the escape. Behind it stands the number in a form that needs no table: as
//! u = 2(t − T − 1) for t > T and 2(−t − T − 1) + 1 for t < −T, seven bits at a time, the lowest first, in bytes whose top bit says that
//! more follow; a byte takes 1/256 of all slots.

use super::rans::{Damage, Decoder, Step};
use super::table::Table;

/// Slots of a byte behind an escape.
const BYTE: u32 = 256;

/// Most bytes behind an escape: 35 bits are more than a distance has.
const MOST_BYTES: u32 = 5;

/// The largest distance, either way.
pub const FARTHEST: i64 = (1 << 31) - 1;

/// Distances −T…T and an escape of a table with 2T + 2 symbols.
fn half_width(table: &Table) -> i64 {
    (table.symbols() as i64 - 2) / 2
}

/// Adds the steps of a distance.
///
/// # Errors
/// When it is beyond [`FARTHEST`].
pub fn push(steps: &mut Vec<Step>, table: &Table, distance: i64) -> Result<(), Damage> {
    let width = half_width(table);
    if distance.abs() > FARTHEST {
        return Err(Damage::TooLarge);
    }
    let symbol = if distance.abs() <= width { distance + width } else { 2 * width + 1 };
    steps.push(table.step(symbol as usize).ok_or(Damage::TooLarge)?);
    if distance.abs() > width {
        let beyond = distance.abs() - width - 1;
        let mut rest = 2 * beyond + i64::from(distance < 0);
        loop {
            let byte = (rest & 127) as u32 | if rest > 127 { 128 } else { 0 };
            steps.push(Step { start: BYTE * byte, frequency: BYTE });
            rest >>= 7;
            if rest == 0 {
                break;
            }
        }
    }
    Ok(())
}

/// The next distance of a stream.
///
/// # Errors
/// When the stream ends too early or holds a number that no encoder writes.
#[inline]
pub fn next(decoder: &mut Decoder<'_>, table: &Table) -> Result<i64, Damage> {
    let (symbol, step) = table.at(decoder.slot());
    decoder.pass(step)?;
    let width = half_width(table);
    if symbol as i64 <= 2 * width { Ok(symbol as i64 - width) } else { escaped(decoder, width) }
}

/// The number behind an escape.
#[cold]
fn escaped(decoder: &mut Decoder<'_>, width: i64) -> Result<i64, Damage> {
    let mut all = 0;
    for place in 0..MOST_BYTES {
        let byte = decoder.slot() / BYTE;
        decoder.pass(Step { start: BYTE * byte, frequency: BYTE })?;
        all |= i64::from(byte & 127) << (7 * place);
        if byte < 128 {
            let beyond = (all >> 1) + width + 1;
            let is_canonical = byte > 0 || place == 0;
            return if beyond <= FARTHEST && is_canonical {
                Ok(if all & 1 == 1 { -beyond } else { beyond })
            } else {
                Err(Damage::TooLarge)
            };
        }
    }
    Err(Damage::TooLarge)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::gaussian::Tables;
    use super::super::rans::encode;
    use super::*;

    #[test]
    fn any_distance_comes_back() {
        let tables = Tables::all().unwrap();
        for scale in [0, 17, 63] {
            let table = tables.of(scale, 3);
            let width = half_width(table);
            let distances =
                [0, 1, -1, width, -width, width + 1, -width - 1, 200, -5000, 70_000, FARTHEST, -FARTHEST, 64 + width];
            let mut steps = Vec::new();
            distances.iter().for_each(|&distance| push(&mut steps, table, distance).unwrap());
            let bytes = encode(&steps);
            let mut decoder = Decoder::new(&bytes).unwrap();
            for distance in distances {
                assert_eq!(next(&mut decoder, table), Ok(distance));
            }
            decoder.end().unwrap();
            assert_eq!(push(&mut steps, table, FARTHEST + 1), Err(Damage::TooLarge));
        }
    }
}
