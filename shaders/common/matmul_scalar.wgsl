// Operand access for matrix products of any row length: reads zeros past a row's end and
// stores nothing there. Slower than its twin `matmul_vec4`, right at every shape.
alias Element = f32;

fn left4(row: u32, length: u32, v: u32) -> vec4<f32> {
    var value = vec4<f32>();
    for (var c = 0u; c < 4u; c++) {
        let column = 4u * v + c;
        let element = left[row * length + min(column, length - 1u)];
        value[c] = select(0.0, element, column < length);
    }
    return value;
}

fn right4(row: u32, length: u32, v: u32) -> vec4<f32> {
    var value = vec4<f32>();
    for (var c = 0u; c < 4u; c++) {
        let column = 4u * v + c;
        let element = right[row * length + min(column, length - 1u)];
        value[c] = select(0.0, element, column < length);
    }
    return value;
}

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
