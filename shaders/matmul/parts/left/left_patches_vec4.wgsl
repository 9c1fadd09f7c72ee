// The left operand of a matrix product read from images, channels four at a time: element k of row i is what row i
// sees through tap k / CHANNELS of channel k % CHANNELS. Needs pixel_seen or pixel_seeing; `left_patches_scalar` is the
// twin for any number of channels.
alias LeftElement = vec4<f32>;

fn left_start(row: u32) -> u32 {
    return row;
}

fn left4(row: u32, length: u32, v: u32) -> vec4<f32> {
    let pixel = patch_pixel(row, v / (CHANNELS / 4u));
    let value = left_at(select(pixel, 0u, pixel == OUTSIDE) * (CHANNELS / 4u) + v % (CHANNELS / 4u));
    return select(value, vec4<f32>(), pixel == OUTSIDE);
}
