//! The inverse cosine transform of a block of 8 × 8 coefficients at its full size or at 4, 2 or 1 values a side, which the
//! lowest frequencies alone give.

/// √2 · cos(k · π / 16) for k from 0 to 7.
const COSINES: [f32; 8] =
    [1.414_213_5, 1.387_039_9, 1.306_563, 1.175_875_6, 1.0, 0.785_694_96, 0.541_196_1, 0.275_899_38];

/// For each place among N values, √2 · cos((2 · place + 1) · frequency · π / 2N) of each frequency, and 1 for frequency 0.
const fn weights<const N: usize>() -> [[f32; N]; N] {
    let mut weights = [[1.0; N]; N];
    let mut at = 0;
    while at < N * N {
        let (place, frequency) = (at / N, at % N);
        if frequency > 0 {
            // In sixteenths of π, of which 32 are a whole turn.
            let turn = (2 * place + 1) * frequency * (8 / N) % 32;
            let angle = if turn > 16 { 32 - turn } else { turn };
            weights[place][frequency] = match angle {
                0..8 => COSINES[angle],
                8 => 0.0,
                _ => -COSINES[16 - angle],
            };
        }
        at += 1;
    }
    weights
}

/// Transforms columns of N coefficients, L of them side by side. What even and odd frequencies give is the same, but for
/// the sign, at both ends.
#[inline(always)]
fn columns<const N: usize, const L: usize>(rows: &[[f32; L]; N]) -> [[f32; L]; N] {
    let mut out = [[0.0; L]; N];
    if N == 1 {
        return *rows;
    }
    let weights = const { weights::<N>() };
    for place in 0..N / 2 {
        let (mut even, mut odd) = (rows[0], [0.0; L]);
        for frequency in 1..N {
            let weight = weights[place][frequency];
            let sum = if frequency % 2 == 0 { &mut even } else { &mut odd };
            for (sum, value) in sum.iter_mut().zip(&rows[frequency]) {
                *sum += weight * value;
            }
        }
        for lane in 0..L {
            out[place][lane] = even[lane] + odd[lane];
            out[N - 1 - place][lane] = even[lane] - odd[lane];
        }
    }
    out
}

fn turned<const N: usize, const L: usize>(rows: &[[f32; L]; N]) -> [[f32; N]; L] {
    let mut out = [[0.0; N]; L];
    for (row, values) in rows.iter().enumerate() {
        for (lane, value) in values.iter().enumerate() {
            out[lane][row] = *value;
        }
    }
    out
}

/// Writes the H × W values of a block at the beginning of `out`, whose rows are `stride` apart.
#[inline]
fn block<const W: usize, const H: usize>(coefficients: &[f32; 64], out: &mut [u8], stride: usize) {
    let mut low = [[0.0; W]; H];
    for (row, low) in low.iter_mut().enumerate() {
        low.copy_from_slice(&coefficients[8 * row..8 * row + W]);
    }
    let values = turned(&columns::<W, H>(&turned(&columns::<H, W>(&low))));
    for (row, out) in values.iter().zip(out.chunks_mut(stride)) {
        for (value, out) in row.iter().zip(out) {
            *out = byte(*value);
        }
    }
}

/// An eighth of a sum of weighted coefficients, around the middle of the range.
#[inline(always)]
fn byte(sum: f32) -> u8 {
    (sum * 0.125 + 128.5) as u8
}

/// Writes a block at `width` × `height` values, each 1, 2, 4 or 8, at the beginning of `out`, whose rows are `stride`
/// apart; `is_flat` if all coefficients but the first are 0.
pub fn inverse(coefficients: &[f32; 64], is_flat: bool, [width, height]: [usize; 2], out: &mut [u8], stride: usize) {
    if is_flat || (width, height) == (1, 1) {
        let value = byte(coefficients[0]);
        return out.chunks_mut(stride).take(height).for_each(|row| row[..width].fill(value));
    }
    match (width, height) {
        (8, 8) => block::<8, 8>(coefficients, out, stride),
        (4, 4) => block::<4, 4>(coefficients, out, stride),
        (2, 2) => block::<2, 2>(coefficients, out, stride),
        (8, 4) => block::<8, 4>(coefficients, out, stride),
        (4, 8) => block::<4, 8>(coefficients, out, stride),
        (4, 2) => block::<4, 2>(coefficients, out, stride),
        (2, 4) => block::<2, 4>(coefficients, out, stride),
        (2, 1) => block::<2, 1>(coefficients, out, stride),
        _ => block::<1, 2>(coefficients, out, stride),
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[test]
    fn every_size_is_the_sum_of_its_cosines() {
        let coefficients: [f32; 64] = std::array::from_fn(|at| ((at * 37 + 11) % 61) as f32 * 2.0 - 60.0);
        for [width, height] in [[8, 8], [4, 4], [2, 2], [1, 1], [8, 4], [4, 8], [4, 2], [2, 4], [2, 1], [1, 2]] {
            let mut out = [0; 64];
            inverse(&coefficients, false, [width, height], &mut out, width);
            for (at, found) in out[..width * height].iter().enumerate() {
                let (x, y) = (at % width, at / width);
                let cosine = |place: usize, frequency: usize, size: usize| {
                    let share = if frequency == 0 { 0.5_f64.sqrt() } else { 1.0 };
                    share * ((2 * place + 1) as f64 * frequency as f64 * PI / (2 * size) as f64).cos()
                };
                let terms = (0..height).flat_map(|v| (0..width).map(move |u| (u, v)));
                let sum: f64 = terms
                    .map(|(u, v)| f64::from(coefficients[8 * v + u]) * cosine(x, u, width) * cosine(y, v, height))
                    .sum();
                let wanted = (sum / 4.0 + 128.0).round().clamp(0.0, 255.0);
                assert!((f64::from(*found) - wanted).abs() <= 1.0, "{width}x{height}: {found} for {wanted} at {at}");
            }
        }
    }
}
