//!use index clock threefry permutation batch_row
// Row numbers of the current batch.

struct Params {
    n: u32, // rows of a full batch
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> clock: array<u32>;      // [16]
@group(0) @binding(2) var<storage, read_write> rows: array<u32>; // [n]

const WORKGROUP: u32 = 64u;

fn clock_word(i: u32) -> u32 {
    return clock[i];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i < params.n {
        rows[i] = batch_row(i);
    }
}
