// A word as a multiple of 2^-24 in [0, 1).
fn unit(word: u32) -> f32 {
    return f32(word >> 8u) * (1.0 / 16777216.0);
}
