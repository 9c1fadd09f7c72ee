//!use index clock reduce norm_params
// Means and variances of groups of columns from those of their stretches, a workgroup each: squared deviations from the mean
// of a stretch, and of that mean from the whole one, never a difference of squares.

@group(0) @binding(1) var<storage, read> parts: array<f32>;         // [samples, stretches, 2, columns]
@group(0) @binding(2) var<storage, read> clock: array<u32>;         // [16], where the clock counts
@group(0) @binding(3) var<storage, read_write> moments: array<f32>; // [2, samples, groups]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let all = params.samples * params.groups;
    // Groups past the end repeat the last, since all must meet at the barriers.
    let number = min(group_index(group, groups), all - 1u);
    var counted = 0u;
    if params.rows_per_sample != 0u {
        counted = clock[CLOCK_VALID_ROWS];
    }
    let valid = valid_rows(counted);
    let wide = params.columns / params.groups;
    let first = number / params.groups * params.stretches * 2u * params.columns + number % params.groups * wide;
    let origin = parts[first];
    var sum = 0.0;
    for (var i = lane; i < params.stretches * wide; i += WORKGROUP) {
        let mean = parts[first + 2u * (i / wide) * params.columns + i % wide];
        sum += f32(stretch_count(i / wide, valid)) * (mean - origin);
    }
    let count = f32(max(valid, 1u)) * f32(wide);
    let mean = origin + reduce_sum(lane, sum) / count;
    var squares = 0.0;
    for (var i = lane; i < params.stretches * wide; i += WORKGROUP) {
        let at = first + 2u * (i / wide) * params.columns + i % wide;
        let error = parts[at] - mean;
        squares += parts[at + params.columns] + f32(stretch_count(i / wide, valid)) * error * error;
    }
    let variance = reduce_sum(lane, squares) / count;
    if lane == 0u {
        moments[number] = mean;
        moments[all + number] = variance;
    }
}
