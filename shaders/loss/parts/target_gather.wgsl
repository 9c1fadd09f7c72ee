// The target of `reconstruction_loss` read from the data set's bytes, `words` words a row: row i of the
// batch is row rows[i] of the set, or zeros.
@group(0) @binding(2) var<storage, read> target_: array<u32>; // the data set
@group(0) @binding(7) var<storage, read> rows: array<u32>; // [batch]

const PADDING: u32 = 0xFFFFFFFFu;

fn target4(i: u32, words: u32) -> vec4<f32> {
    let batch_row = i / words;
    let row = rows[batch_row];
    if row == PADDING {
        return vec4<f32>();
    }
    return unpack4x8unorm(target_[row * words + i - batch_row * words]);
}
