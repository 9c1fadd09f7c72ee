//!use index
// The batch: chosen rows of a data set of bytes, as floats in [0, 1], or of floats, as they are.
//
// One invocation brings one word, four neighbours of a row: x[i, j] = data[rows[i], j].
// Rows marked as padding are 0. Loading: batch_load_bytes, or of floats batch_load_vec4 if features is a
// multiple of 4, batch_load_scalar otherwise; storing: batch_store_vec4, batch_store_scalar.

struct Params {
    words: u32,         // batch · words_per_row
    words_per_row: u32, // ⌈features / 4⌉
    features: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> data: array<DataElement>; // [rows of the set, features], of bytes whole words
@group(0) @binding(2) var<storage, read> rows: array<u32>;         // [batch]
@group(0) @binding(3) var<storage, read_write> x: array<Element>;  // [batch, features]

const WORKGROUP: u32 = 64u;
const PADDING: u32 = 0xFFFFFFFFu;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.words {
        return;
    }
    let batch_row = i / params.words_per_row;
    let word = i - batch_row * params.words_per_row;
    let row = rows[batch_row];
    var value = vec4<f32>();
    if row != PADDING {
        value = load4(row, word);
    }
    store4(batch_row, word, value);
}
