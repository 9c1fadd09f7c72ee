// The left operand of a matrix product read from the data set's bytes: row i is row rows[i] of the set,
// or zeros. One word holds four neighbours, so this loads a quarter of what floats would. Row lengths are
// multiples of four. Needs rows_binding4 or rows_binding5.
alias LeftElement = u32;

fn left_start(row: u32) -> u32 {
    return rows[row];
}

fn left4(row: u32, length: u32, v: u32) -> vec4<f32> {
    // No branch: software Vulkan pays for each.
    let word = left_at(select(row, 0u, row == PADDING) * (length / 4u) + v);
    return select(unpack4x8unorm(word), vec4<f32>(), row == PADDING);
}
