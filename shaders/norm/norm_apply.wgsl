//!use index clock norm_params
// Rows brought to the mean 0 and the variance 1 of their groups, scaled and shifted, an invocation an element; rows of padding
// become 0.

@group(0) @binding(1) var<storage, read> x: array<f32>;       // [samples, rows, columns]
@group(0) @binding(2) var<storage, read> scale: array<f32>;   // [columns]
@group(0) @binding(3) var<storage, read> shift: array<f32>;   // [columns]
@group(0) @binding(4) var<storage, read> moments: array<f32>; // [2, samples, groups]
@group(0) @binding(5) var<storage, read> clock: array<u32>;   // [16], where the clock counts
@group(0) @binding(6) var<storage, read_write> y: array<f32>; // [samples, rows, columns]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups) * WORKGROUP + lane;
    if element >= params.samples * params.rows * params.columns {
        return;
    }
    var counted = 0u;
    if params.rows_per_sample != 0u {
        counted = clock[CLOCK_VALID_ROWS];
    }
    let column = element % params.columns;
    let row = element / params.columns;
    let at = row / params.rows * params.groups + column / (params.columns / params.groups);
    let variance = moments[params.samples * params.groups + at];
    let factor = scale[column] / sqrt(variance + params.epsilon);
    let value = factor * (x[element] - moments[at]) + shift[column];
    y[element] = select(0.0, value, row % params.rows < valid_rows(counted));
}
