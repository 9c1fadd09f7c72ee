//! Colours of what is no photograph.

/// The colour of a share from 0 to 1: black, red, yellow, white.
pub fn glow(share: f32) -> [f32; 3] {
    [0.0, 1.0, 2.0].map(|before| (3.0 * share - before).clamp(0.0, 1.0))
}

/// Pixels of so many channels as red, green and blue; one is grey, further ones are not shown.
pub fn in_colour(pixels: &[f32], channels: usize) -> Vec<f32> {
    let channels = channels.max(1);
    let of = |channel: usize| if channels >= 3 { channel } else { 0 };
    pixels.chunks_exact(channels).flat_map(|pixel| [pixel[of(0)], pixel[of(1)], pixel[of(2)]]).collect()
}
