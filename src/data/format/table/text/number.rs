//! Numbers in text, as quickly as they can be read exactly.

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

/// Powers of ten that an f64 holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

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

/// The eight digits that a word of eight bytes is, the first in the lowest byte; nothing if it has other bytes.
#[inline(always)]
fn eight(word: u64) -> Option<u64> {
    let digits = word ^ 0x3030_3030_3030_3030;
    if ((digits.wrapping_add(0x7676_7676_7676_7676)) | digits) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    // Pairs, then fours, then all: each step joins neighbours (Johnny Lee, 2016).
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}

/// Appends the digits from `place` on to a number, and says where they end.
#[inline(always)]
fn digits(bytes: &[u8], mut place: usize, number: &mut u64) -> usize {
    while let Some(more) =
        bytes.get(place..).and_then(|rest| rest.first_chunk::<8>()).and_then(|word| eight(u64::from_le_bytes(*word)))
    {
        *number = number.wrapping_mul(100_000_000).wrapping_add(more);
        place += 8;
    }
    while let Some(digit) = bytes.get(place).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        *number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        place += 1;
    }
    place
}

/// Most decimals of a number that [`RECIPROCALS`] serve.
const MOST_DECIMALS: usize = 27;

/// Of each power of ten the highest 64 bits of its reciprocal, rounded down, and how many bits the power has: of 10ⁿ with b
/// bits, 2⁶³⁺ᵇ / 10ⁿ, which is from 2⁶³ to 2⁶⁴.
const RECIPROCALS: [(u64, i32); MOST_DECIMALS + 1] = {
    let mut all = [(0, 0); MOST_DECIMALS + 1];
    let (mut power, mut place) = (10u128, 1);
    while place <= MOST_DECIMALS {
        let bits = 128 - power.leading_zeros() as i32;
        let (mut rest, mut quotient, mut left) = (1u128, 0u64, 63 + bits);
        while left > 0 {
            rest <<= 1;
            quotient <<= 1;
            if rest >= power {
                rest -= power;
                quotient |= 1;
            }
            left -= 1;
        }
        all[place] = (quotient, bits);
        power *= 10;
        place += 1;
    }
    all
};

/// The f64 nearest to `mantissa` / 10^`decimals`, unless that is too near to the middle between two to be told by 64 bits of
/// a product: of a thousand numbers, two. A simple case of Lemire, 2021.
#[inline(always)]
fn nearest(mantissa: u64, decimals: usize) -> Option<f64> {
    let (reciprocal, bits) = *RECIPROCALS.get(decimals).filter(|(reciprocal, _)| *reciprocal != 0 && mantissa != 0)?;
    let shift = mantissa.leading_zeros();
    // The reciprocal is less than 1 too small, so this is, too: what is wanted is from `high` to `high` + 1.
    let high = ((u128::from(mantissa << shift) * u128::from(reciprocal)) >> 64) as u64;
    let cut = 11 - high.leading_zeros();
    let (rest, half) = (high & ((1 << cut) - 1), 1 << (cut - 1));
    if rest == half || rest == half - 1 {
        return None;
    }
    let rounded = (high >> cut) + u64::from(rest > half);
    // Between 2⁻¹⁵⁰ and 2⁰, a power of two that is multiplied by exactly.
    let exponent = cut as i32 + 1 - shift as i32 - bits;
    Some(rounded as f64 * f64::from_bits(((1023 + exponent) as u64) << 52))
}

/// The number that begins at `start`, and where it ends: a sign or none, digits with a decimal point or none, an exponent
/// or none. It is the f64 nearest to what is written, or an infinity. Nothing if no number begins there.
#[inline(always)]
pub fn scan(bytes: &[u8], start: usize, comma: bool) -> Option<(f64, usize)> {
    let sign = bytes.get(start).copied()?;
    let whole = start + usize::from(sign == b'-' || sign == b'+');
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
    if count <= MOST_DIGITS && mantissa <= 1 << 53 && power < POWERS.len() {
        // Both are exact, so one rounding is left: Clinger, 1990.
        let mantissa = mantissa as f64;
        let size = if exponent < 0 { mantissa / POWERS[power] } else { mantissa * POWERS[power] };
        return Some((if sign == b'-' { -size } else { size }, place));
    }
    if count <= MOST_DIGITS
        && exponent < 0
        && let Some(size) = nearest(mantissa, power)
    {
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
