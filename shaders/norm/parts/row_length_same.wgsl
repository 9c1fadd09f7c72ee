// The length of a row for `normalise_rows`, the same for all; beside `row_length_table`.
fn row_length(row: u32) -> f32 {
    return params.scale;
}
