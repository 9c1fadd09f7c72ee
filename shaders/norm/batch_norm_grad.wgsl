//!use index clock reduce
// Gradient of a normalised batch, one workgroup a column; rows of padding get none.

struct Params {
    rows: u32,
    columns: u32,
    epsilon: f32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [rows, columns]
@group(0) @binding(2) var<storage, read> scale: array<f32>;         // [columns]
@group(0) @binding(3) var<storage, read> clock: array<u32>;         // [16]
@group(0) @binding(4) var<storage, read> moments: array<f32>;       // [2, columns]: means, variances
@group(0) @binding(5) var<storage, read> dy: array<f32>;            // [rows, columns]
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;      // [rows, columns]
@group(0) @binding(7) var<storage, read_write> d_scale: array<f32>; // [columns]
@group(0) @binding(8) var<storage, read_write> d_shift: array<f32>; // [columns]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    // Groups past the end repeat the last column, since all must meet at the barriers.
    let column = min(group_index(group, groups), params.columns - 1u);
    let valid = clock[CLOCK_VALID_ROWS] * params.rows_per_sample;
    let mean = moments[column];
    let inverse = 1.0 / sqrt(moments[params.columns + column] + params.epsilon);
    var shift_sum = 0.0;
    var scale_sum = 0.0;
    for (var row = lane; row < valid; row += WORKGROUP) {
        let i = row * params.columns + column;
        shift_sum += dy[i];
        scale_sum += dy[i] * ((x[i] - mean) * inverse);
    }
    let to_shift = reduce_sum(lane, shift_sum);
    let to_scale = reduce_sum(lane, scale_sum);
    if lane == 0u {
        d_shift[column] = to_shift;
        d_scale[column] = to_scale;
    }
    let count = f32(max(valid, 1u));
    for (var row = lane; row < params.rows; row += WORKGROUP) {
        let i = row * params.columns + column;
        let standard = (x[i] - mean) * inverse;
        let d = scale[column] * inverse * (dy[i] - (to_shift + standard * to_scale) / count);
        dx[i] = select(0.0, d, row < valid);
    }
}
