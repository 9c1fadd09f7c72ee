// The stored activations of an input gradient for rows of any length, beside `product_scalar`.
fn h4(row: u32, length: u32, v: u32) -> vec4<f32> {
    var value = vec4<f32>();
    for (var c = 0u; c < 4u; c++) {
        value[c] = h[row * length + min(4u * v + c, length - 1u)];
    }
    return value;
}
