// The right operand of a product whose row lengths are multiples of four.
alias RightElement = vec4<f32>;

fn right_row(row: u32) -> u32 {
    return row;
}

fn right4(row: u32, length: u32, v: u32) -> vec4<f32> {
    return right[row * (length / 4u) + v];
}
