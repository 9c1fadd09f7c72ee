//!use index
// A matrix with rows and columns exchanged. A workgroup takes a square tile through workgroup memory, so that
// reads and writes both follow rows; a column more than the tile keeps its columns out of one memory bank.

struct Params {
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [rows, columns]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [columns, rows]

const SIDE: u32 = 16u;
const WORKGROUP: u32 = SIDE * SIDE;

var<workgroup> tile: array<f32, SIDE * (SIDE + 1u)>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let across = (params.columns + SIDE - 1u) / SIDE;
    let number = group_index(group, groups);
    let top = (number / across) * SIDE;
    let left = (number % across) * SIDE;
    let along = lane % SIDE;
    let down = lane / SIDE;
    if top + down < params.rows && left + along < params.columns {
        tile[down * (SIDE + 1u) + along] = x[(top + down) * params.columns + left + along];
    }
    workgroupBarrier();
    if left + down < params.columns && top + along < params.rows {
        y[(left + down) * params.rows + top + along] = tile[along * (SIDE + 1u) + down];
    }
}
