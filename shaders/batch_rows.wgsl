//!use index clock threefry permutation
// Row numbers of the current batch: the next stretch of the epoch's permutation of the data set.

struct Params {
    n: u32, // rows of a full batch
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> clock: array<u32>;      // [16]
@group(0) @binding(2) var<storage, read_write> rows: array<u32>; // [n]

const WORKGROUP: u32 = 64u;
const PADDING: u32 = 0xFFFFFFFFu;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    if i >= clock[CLOCK_VALID_ROWS] {
        rows[i] = PADDING;
        return;
    }
    let position = clock[CLOCK_BATCH] * clock[CLOCK_BATCH_SIZE] + i;
    if clock[CLOCK_SHUFFLE] == 0u {
        rows[i] = position;
        return;
    }
    let run_key = vec2<u32>(clock[CLOCK_SHUFFLE_KEY], clock[CLOCK_SHUFFLE_KEY + 1u]);
    let key = threefry2x32(run_key, vec2<u32>(clock[CLOCK_EPOCH], 0u));
    rows[i] = permute(position, clock[CLOCK_ROWS], key);
}
