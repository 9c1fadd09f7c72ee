//! The f64 nearest to a whole number times a power of ten, where that is found quickly.

/// Powers of ten that an f64 holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

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
    // It is at least 2⁶².
    let cut = 10 + (high >> 63) as u32;
    let (rest, half) = (high & ((1 << cut) - 1), 1 << (cut - 1));
    if rest == half || rest == half - 1 {
        return None;
    }
    let rounded = (high >> cut) + u64::from(rest > half);
    // Between 2⁻¹⁵⁰ and 2⁰, a power of two that is multiplied by exactly.
    let exponent = cut as i32 + 1 - shift as i32 - bits;
    // As a signed number, which is one instruction more often.
    Some(rounded as i64 as f64 * f64::from_bits(((1023 + exponent) as u64) << 52))
}

/// The f64 nearest to `mantissa` / 10^`decimals`, if that is found quickly.
#[inline(always)]
pub fn shifted(mantissa: u64, decimals: usize) -> Option<f64> {
    // Whether digits are few is foreseen more easily than whether they are few enough.
    if mantissa >> 32 != 0
        && decimals > 0
        && let Some(size) = nearest(mantissa, decimals)
    {
        return Some(size);
    }
    // Both are exact, so one rounding is left: Clinger, 1990.
    POWERS.get(decimals).filter(|_| mantissa <= 1 << 53).map(|power| mantissa as i64 as f64 / power)
}

/// The f64 nearest to `mantissa` · 10^`power`, if that is found quickly.
pub fn grown(mantissa: u64, power: usize) -> Option<f64> {
    POWERS.get(power).filter(|_| mantissa <= 1 << 53).map(|power| mantissa as f64 * power)
}
