//!use index clock sparsity_kinds
// Gradient of a penalty on activity; rows of padding get none.

struct Params {
    n: u32, // elements
    columns: u32,
    kind: u32,
    target_rate: f32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> h: array<f32>;       // [rows, columns]
@group(0) @binding(2) var<storage, read> clock: array<u32>;   // [16]
@group(0) @binding(3) var<storage, read> rates: array<f32>;   // [columns]
@group(0) @binding(4) var<storage, read> dy: array<f32>;      // [1]
@group(0) @binding(5) var<storage, read_write> d: array<f32>; // [rows, columns]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    let row = i / params.columns;
    let valid = clock[CLOCK_VALID_ROWS] * params.rows_per_sample;
    let slope = sparsity_slope(params.kind, params.target_rate, rates[i - row * params.columns]);
    let scale = select(0.0, dy[0] / f32(max(valid, 1u)), row < valid);
    d[i] = scale * slope * sign(h[i]);
}
