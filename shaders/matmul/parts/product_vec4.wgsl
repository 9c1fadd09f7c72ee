// Results of a matrix product whose rows are read and written four neighbours at a time;
// `product_scalar` is the twin for rows of any length.
alias Element = vec4<f32>;

// What this thread stored before.
fn product4(row: u32, length: u32, v: u32) -> vec4<f32> {
    return product[row * (length / 4u) + v];
}

fn store4(row: u32, length: u32, v: u32, value: vec4<f32>) {
    product[row * (length / 4u) + v] = value;
}
