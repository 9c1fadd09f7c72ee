// The left operand of a product whose row lengths are multiples of four.
alias LeftElement = vec4<f32>;

fn left_row(row: u32) -> u32 {
    return row;
}

fn left4(row: u32, length: u32, v: u32) -> vec4<f32> {
    return left[row * (length / 4u) + v];
}
