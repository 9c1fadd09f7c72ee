// The right operand of a matrix product read from images of any number of channels, as in `left_patches_scalar`.
alias RightElement = f32;

fn right_start(row: u32) -> u32 {
    return row;
}

fn right4(row: u32, length: u32, v: u32) -> vec4<f32> {
    var value = vec4<f32>();
    for (var c = 0u; c < 4u; c++) {
        let k = 4u * v + c;
        let pixel = patch_pixel(row, min(k, length - 1u) / CHANNELS);
        let outside = pixel == OUTSIDE || k >= length;
        value[c] = select(right_at(select(pixel, 0u, outside) * CHANNELS + k % CHANNELS), 0.0, outside);
    }
    return value;
}
