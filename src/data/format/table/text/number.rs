//! Numbers in text, as quickly as they can be read exactly.

use super::rounded::{grown, shifted};

/// What a cell is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// A finite number.
    Number(f64),
    /// Nothing: one of [`MISSING_WORDS`].
    Missing,
    /// Infinity by name, or a number beyond what an f64 holds.
    Infinite,
    /// Anything else.
    Word,
}

/// What stands for a value that is missing, in quotes or not, in every format.
pub const MISSING_WORDS: [&str; 11] = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "?", "-"];

/// What stands for infinity, behind a sign or none.
const INFINITY: [&str; 6] = ["inf", "Inf", "INF", "infinity", "Infinity", "INFINITY"];

/// Most digits that a u64 holds whatever they are.
const MOST_DIGITS: usize = 19;

/// Whether a cell stands for a missing value.
pub fn is_missing(cell: &str) -> bool {
    cell.len() <= 4 && MISSING_WORDS.contains(&cell)
}

/// What a cell is, its spaces and quotes taken away. `comma` says that a comma, too, is a decimal point.
pub fn cell(cell: &str, comma: bool) -> Cell {
    if is_missing(cell) {
        return Cell::Missing;
    }
    let bytes = cell.as_bytes();
    match scan(bytes, 0, comma) {
        Some((number, end)) if end == bytes.len() => {
            if number.is_finite() {
                Cell::Number(number)
            } else {
                Cell::Infinite
            }
        }
        _ if INFINITY.contains(&cell.trim_start_matches(['+', '-'])) => Cell::Infinite,
        _ => Cell::Word,
    }
}

/// Powers of ten by which a number grows when up to eight digits are appended to it.
const APPENDED: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The number that eight digits are, the first in the lowest byte.
#[inline(always)]
fn eight(digits: u64) -> u64 {
    // Pairs, then fours, then all: each step joins neighbours (Johnny Lee, 2016).
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff
}

/// The digits that eight bytes begin with: how many, and their number.
#[inline(always)]
fn word(bytes: &[u8; 8]) -> (usize, u64) {
    let digits = u64::from_le_bytes(*bytes) ^ 0x3030_3030_3030_3030;
    // The highest bit of each byte that is no digit; behind the first there may be more.
    let others = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080;
    if others == 0 {
        return (8, eight(digits));
    }
    let count = others.trailing_zeros() as usize / 8;
    // Zeros before the digits instead of what is behind them, without a branch for each that could be foreseen wrongly. In
    // two steps, since all 64 bits may go.
    let half = 4 * (8 - count);
    (count, eight((digits << half) << half))
}

/// Appends the digits from `place` on to a number, and says where they end.
#[inline(always)]
fn digits(bytes: &[u8], mut place: usize, number: &mut u64) -> usize {
    while let Some(eight) = bytes.get(place..).and_then(|rest| rest.first_chunk::<8>()) {
        let (count, more) = word(eight);
        *number = number.wrapping_mul(APPENDED[count]).wrapping_add(more);
        place += count;
        if count < 8 {
            return place;
        }
    }
    while let Some(digit) = bytes.get(place).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        *number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        place += 1;
    }
    place
}

/// Bytes that [`plain`] looks at behind a sign.
const LOOKED_AT: usize = 40;

/// What [`scan`] says of a number that begins at `start` and is written as most are: a minus or none, up to seven digits, and
/// a decimal point and further digits or none, 19 in all; nothing of any other, and near the end of the bytes. How long it is
/// does not wait for what it is, so a processor may begin with the next meanwhile.
#[inline(always)]
pub fn plain(bytes: &[u8], start: usize, comma: bool) -> Option<(f64, usize)> {
    let is_negative = *bytes.get(start)? == b'-';
    let whole = start + usize::from(is_negative);
    let rest = bytes.get(whole..)?.first_chunk::<LOOKED_AT>()?;
    let word = |place: usize| rest.get(place..).and_then(|rest| rest.first_chunk::<8>()).map(word);
    let is_point = |byte: u8| byte == b'.' || (comma && byte == b',');
    let digit = rest[0] ^ b'0';
    let (count, mut mantissa) = if digit < 10 && is_point(rest[1]) { (1, u64::from(digit)) } else { word(0)? };
    if count == 0 || count == 8 {
        return None;
    }
    // Half of all numbers have a sign, so no branch would foresee it.
    let signed = |size: f64| f64::from_bits(size.to_bits() | (u64::from(is_negative) << 63));
    if !is_point(rest[count]) {
        return Some((signed(mantissa as i64 as f64), whole + count));
    }
    let (mut decimals, mut is_more) = (0, true);
    for _ in 0..3 {
        if is_more {
            let (count, more) = word(count + 1 + decimals)?;
            mantissa = mantissa.wrapping_mul(APPENDED[count]).wrapping_add(more);
            decimals += count;
            is_more = count == 8;
        }
    }
    if is_more || count + decimals > MOST_DIGITS {
        return None;
    }
    Some((signed(shifted(mantissa, decimals)?), whole + count + 1 + decimals))
}

/// The number that begins at `start`, and where it ends: a sign or none, digits with a decimal point or none, an exponent
/// or none. It is the f64 nearest to what is written, or an infinity. Nothing if no number begins there.
pub fn scan(bytes: &[u8], start: usize, comma: bool) -> Option<(f64, usize)> {
    let sign = bytes.get(start).copied()?;
    let whole = start + usize::from((sign == b'-') | (sign == b'+'));
    let mut mantissa = 0u64;
    let mut place = digits(bytes, whole, &mut mantissa);
    let mut count = place - whole;
    let mut exponent = 0i64;
    let point = bytes.get(place).copied();
    if point == Some(b'.') || (comma && point == Some(b',')) {
        let fraction = place + 1;
        place = digits(bytes, fraction, &mut mantissa);
        count += place - fraction;
        exponent = -((place - fraction) as i64);
    }
    if count == 0 {
        return None;
    }
    if let Some(b'e' | b'E') = bytes.get(place) {
        let sign = bytes.get(place + 1).copied();
        let first = place + 1 + usize::from(matches!(sign, Some(b'-' | b'+')));
        let mut power = 0u64;
        let end = digits(bytes, first, &mut power);
        if end > first {
            // What has more digits is 0 or infinite, and is left to the standard library.
            let power = if end - first > 6 { i64::from(i32::MAX) } else { power as i64 };
            exponent += if sign == Some(b'-') { -power } else { power };
            place = end;
        }
    }
    let power = exponent.unsigned_abs() as usize;
    let size = match () {
        () if count > MOST_DIGITS => None,
        () if exponent <= 0 => shifted(mantissa, power),
        () => grown(mantissa, power),
    };
    if let Some(size) = size {
        return Some((if sign == b'-' { -size } else { size }, place));
    }
    slow(&bytes[start..place]).map(|number| (number, place))
}

/// A number of many digits, by the standard library.
#[inline(never)]
fn slow(bytes: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(bytes).ok()?;
    if text.contains(',') { text.replace(',', ".").parse().ok() } else { text.parse().ok() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_standard_library_to_the_bit() {
        let texts = [
            "0",
            "-0",
            "1",
            "+1",
            "5.1",
            ".5",
            "5.",
            "-0.12345678901234567",
            "1e5",
            "1E-5",
            "1.5e+300",
            "1e-320",
            "3e22",
            "9007199254740992",
            "9007199254740993",
            "123456789012345678901234567890",
            "0.1e-6",
            "4.9e-324",
            "1e22",
            "1e23",
            "0.00000000000000000000000001",
            "1e0000000000000000000001",
            "0e99999999999",
        ];
        for text in texts {
            let Cell::Number(number) = cell(text, false) else { unreachable!("{text} is {:?}", cell(text, false)) };
            assert_eq!(number.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
        let mut state = 1u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let number = f64::from_bits(state);
            if number.is_finite() && (number as f32).is_finite() {
                let share = (state >> 11) as f64 / 9007199254740992.0;
                let texts = [
                    format!("{number:e}"),
                    format!("{:.7}", number % 1e6),
                    format!("{}", number as f32),
                    format!("{share}"),
                    format!("{:.*}", (state % 19) as usize, share * 7.0),
                    format!("{}e-{}", state, state % 30),
                ];
                for text in texts {
                    let wanted: f64 = text.parse().unwrap();
                    assert_eq!(scan(text.as_bytes(), 0, false), Some((wanted, text.len())), "{text}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_is_not_taken_for_one() {
        for word in ["1,5", "1_000", "0x10", "e5", ".", "+", "--1", "1e", "1 2", "abc", "true", "N.A.", "1.2.3"] {
            assert_eq!(cell(word, false), Cell::Word, "{word}");
        }
        MISSING_WORDS.iter().for_each(|word| assert_eq!(cell(word, true), Cell::Missing));
        for infinite in ["inf", "-Infinity", "+INF", "1e999", "-1e999999999999"] {
            assert_eq!(cell(infinite, false), Cell::Infinite, "{infinite}");
        }
        assert_eq!((cell("1,5", true), cell("-1,5e1", true)), (Cell::Number(1.5), Cell::Number(-15.0)));
        assert_eq!((cell("1.234,5", true), cell("1,234,5", true)), (Cell::Word, Cell::Word));
    }
}
