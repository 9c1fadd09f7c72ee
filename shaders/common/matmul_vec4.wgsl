// Operand access for matrix products whose row lengths are all multiples of four: one
// element of a buffer is four neighbours of a row. `matmul_scalar` is the twin for the rest.
alias Element = vec4<f32>;

fn left4(row: u32, length: u32, v: u32) -> vec4<f32> {
    return left[row * (length / 4u) + v];
}

fn right4(row: u32, length: u32, v: u32) -> vec4<f32> {
    return right[row * (length / 4u) + v];
}

// What this thread stored before.
fn product4(row: u32, length: u32, v: u32) -> vec4<f32> {
    return product[row * (length / 4u) + v];
}

fn store4(row: u32, length: u32, v: u32, value: vec4<f32>) {
    product[row * (length / 4u) + v] = value;
}
