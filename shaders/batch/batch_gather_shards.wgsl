//!use index
// The part of the batch that lies in one shard of the data set: chosen rows as floats.
//
// One invocation brings one word, four neighbours of a row: x[i, j] = data[rows[i] − first, j], where that is a row
// of the shard. The first shard writes rows marked as padding, as 0. Loading and storing as in batch_gather.

struct Params {
    words: u32,         // batch · words_per_row
    words_per_row: u32, // ⌈features / 4⌉
    features: u32,
    first: u32,         // row of the set that the shard begins with
    shard_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> data: array<DataElement>; // [shard_rows, features], of bytes whole words
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
    if row == PADDING {
        if params.first == 0u {
            store4(batch_row, word, vec4<f32>());
        }
    } else if row >= params.first && row - params.first < params.shard_rows {
        store4(batch_row, word, load4(row - params.first, word));
    }
}
