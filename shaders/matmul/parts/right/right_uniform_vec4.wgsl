// The right operand of `matmul_uniform` where row lengths are multiples of four: rows from params.first
// on, the first of them params.skip elements behind the start of the binding.
fn right_start(row: u32) -> u32 {
    return row;
}

fn right4(row: u32, length: u32, v: u32) -> vec4<f32> {
    return right[(params.skip + (row - params.first) * length) / 4u + v];
}
