// The stored activations of an input gradient, four neighbours of a row at a time, beside `product_vec4`.
fn h4(row: u32, length: u32, v: u32) -> vec4<f32> {
    return h[row * (length / 4u) + v];
}
