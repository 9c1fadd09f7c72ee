// The right operand of a matrix product whose row lengths are multiples of four: one element of the
// buffer is four neighbours of a row. `right_scalar` is the twin for the rest.
alias RightElement = vec4<f32>;

fn right_start(row: u32) -> u32 {
    return row;
}

fn right4(row: u32, length: u32, v: u32) -> vec4<f32> {
    return right_at(row * (length / 4u) + v);
}
