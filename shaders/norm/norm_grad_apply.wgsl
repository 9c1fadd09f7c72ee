//!use index clock norm_params
// The gradient of normalised rows, an invocation an element; rows of padding get none.

@group(0) @binding(1) var<storage, read> x: array<f32>;        // [samples, rows, columns]
@group(0) @binding(2) var<storage, read> dy: array<f32>;       // [samples, rows, columns]
@group(0) @binding(3) var<storage, read> scale: array<f32>;    // [columns]
@group(0) @binding(4) var<storage, read> moments: array<f32>;  // [2, samples, groups]
@group(0) @binding(5) var<storage, read> sums: array<f32>;     // [2, samples, groups]
@group(0) @binding(6) var<storage, read> clock: array<u32>;    // [16], where the clock counts
@group(0) @binding(7) var<storage, read_write> dx: array<f32>; // [samples, rows, columns]

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
    let valid = valid_rows(counted);
    let column = element % params.columns;
    let row = element / params.columns;
    let wide = params.columns / params.groups;
    let all = params.samples * params.groups;
    let at = row / params.rows * params.groups + column / wide;
    let inverse = 1.0 / sqrt(moments[all + at] + params.epsilon);
    let standard = (x[element] - moments[at]) * inverse;
    let means = vec2<f32>(sums[at], sums[all + at]) / (f32(max(valid, 1u)) * f32(wide));
    let value = inverse * (scale[column] * dy[element] - means.x - standard * means.y);
    dx[element] = select(0.0, value, row % params.rows < valid);
}
