// The left operand of a matrix product whose row lengths are multiples of four: one element of the
// buffer is four neighbours of a row. `left_scalar` is the twin for the rest.
alias LeftElement = vec4<f32>;

fn left_start(row: u32) -> u32 {
    return row;
}

fn left4(row: u32, length: u32, v: u32) -> vec4<f32> {
    return left_at(row * (length / 4u) + v);
}
