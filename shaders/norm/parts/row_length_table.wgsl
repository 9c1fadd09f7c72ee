// The length of a row for `normalise_rows`, each its own; beside `row_length_same`.
@group(0) @binding(3) var<storage, read> lengths: array<f32>; // [rows of the data set]
@group(0) @binding(4) var<storage, read> rows: array<u32>;    // [rows of the batch]

const PADDING: u32 = 0xFFFFFFFFu;

fn row_length(row: u32) -> f32 {
    let number = rows[row];
    if number == PADDING {
        return 0.0;
    }
    return params.scale * lengths[number];
}
