//! How many entries of codes are not 0.

/// Mean number of entries of a row of `width` that are not 0; −0 is. Codes that are rounded, or those of a ReLU, have entries that
/// are 0 exactly; of others it is their width. 0 of no codes.
pub fn non_zeros(codes: &[f32], width: usize) -> f64 {
    let rows = codes.len() / width.max(1);
    let count = codes[..rows * width].iter().filter(|entry| **entry != 0.0).count();
    count as f64 / rows.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::non_zeros;

    #[test]
    fn both_zeros_are_zero() {
        assert_eq!(non_zeros(&[1.0, -0.0, 0.0, -2.0, 0.5, 0.0], 3), 1.5);
        assert_eq!(non_zeros(&[f32::MIN_POSITIVE / 2.0, 0.0], 1), 0.5);
        assert_eq!([non_zeros(&[], 3), non_zeros(&[0.0; 4], 4)], [0.0, 0.0]);
    }
}
