// The right operand of a matrix product read from images, channels four at a time, as in `left_patches_vec4`.
alias RightElement = vec4<f32>;

fn right_start(row: u32) -> u32 {
    return row;
}

fn right4(row: u32, length: u32, v: u32) -> vec4<f32> {
    let pixel = patch_pixel(row, v / (CHANNELS / 4u));
    let value = right_at(select(pixel, 0u, pixel == OUTSIDE) * (CHANNELS / 4u) + v % (CHANNELS / 4u));
    return select(value, vec4<f32>(), pixel == OUTSIDE);
}
