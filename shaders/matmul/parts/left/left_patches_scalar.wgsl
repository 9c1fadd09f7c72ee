// The left operand of a matrix product read from images of any number of channels, as in `left_patches_vec4`: zeros
// past the end of a row.
alias LeftElement = f32;

fn left_start(row: u32) -> u32 {
    return row;
}

fn left4(row: u32, length: u32, v: u32) -> vec4<f32> {
    var value = vec4<f32>();
    for (var c = 0u; c < 4u; c++) {
        let k = 4u * v + c;
        let pixel = patch_pixel(row, min(k, length - 1u) / CHANNELS);
        let outside = pixel == OUTSIDE || k >= length;
        value[c] = select(left_at(select(pixel, 0u, outside) * CHANNELS + k % CHANNELS), 0.0, outside);
    }
    return value;
}
