// Results and operands of matrix products whose row lengths are all multiples of four: one element of
// a buffer is four neighbours of a row. `matmul_scalar` is the twin for the rest.
alias Element = vec4<f32>;

// What this thread stored before.
fn product4(row: u32, length: u32, v: u32) -> vec4<f32> {
    return product[row * (length / 4u) + v];
}

fn store4(row: u32, length: u32, v: u32, value: vec4<f32>) {
    product[row * (length / 4u) + v] = value;
}
