// The right operand of `matmul_uniform` with rows of any length: zeros past a row's end. A uniform array
// has elements of 16 bytes, so single ones are picked out of vectors.
fn right_start(row: u32) -> u32 {
    return row;
}

fn right4(row: u32, length: u32, v: u32) -> vec4<f32> {
    var value = vec4<f32>();
    for (var c = 0u; c < 4u; c++) {
        let column = 4u * v + c;
        let element = params.skip + (row - params.first) * length + min(column, length - 1u);
        value[c] = select(0.0, right[element / 4u][element % 4u], column < length);
    }
    return value;
}
