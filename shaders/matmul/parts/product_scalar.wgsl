// Results of a matrix product with rows of any length: nothing is stored past a row's end. Slower than
// its twin `product_vec4`, right at every shape.
alias Element = f32;

// What this thread stored before.
fn product4(row: u32, length: u32, v: u32) -> vec4<f32> {
    var value = vec4<f32>();
    for (var c = 0u; c < 4u; c++) {
        value[c] = product[row * length + min(4u * v + c, length - 1u)];
    }
    return value;
}

fn store4(row: u32, length: u32, v: u32, value: vec4<f32>) {
    for (var c = 0u; c < 4u; c++) {
        let column = 4u * v + c;
        if column < length {
            product[row * length + column] = value[c];
        }
    }
}
