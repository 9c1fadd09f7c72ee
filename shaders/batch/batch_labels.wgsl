//!use index
// The labels of the batch: y[i] = labels[rows[i]], 0 for rows marked as padding.

struct Params {
    n: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> labels: array<u32>;  // [rows of the set]
@group(0) @binding(2) var<storage, read> rows: array<u32>;    // [n]
@group(0) @binding(3) var<storage, read_write> y: array<u32>; // [n]

const WORKGROUP: u32 = 64u;
const PADDING: u32 = 0xFFFFFFFFu;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    let row = rows[i];
    y[i] = 0u;
    if row != PADDING {
        y[i] = labels[row];
    }
}
