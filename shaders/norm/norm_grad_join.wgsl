//!use index reduce norm_params
// The sums of stretches joined: first, a workgroup a group of columns of a sample, those that its gradient needs, weighed with
// the scale; then, a workgroup a column, the gradients of scale and shift.

@group(0) @binding(1) var<storage, read> parts: array<f32>;         // [samples, stretches, 2, columns]
@group(0) @binding(2) var<storage, read> scale: array<f32>;         // [columns]
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;    // [2, samples, groups]
@group(0) @binding(4) var<storage, read_write> d_scale: array<f32>; // [columns]
@group(0) @binding(5) var<storage, read_write> d_shift: array<f32>; // [columns]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let all = params.samples * params.groups;
    // Groups past the end repeat the last, since all must meet at the barriers.
    let number = min(group_index(group, groups), all + params.columns - 1u);
    let is_column = number >= all;
    let wide = select(params.columns / params.groups, 1u, is_column);
    let begin = select(number / params.groups * params.stretches, 0u, is_column);
    let stretches = select(params.stretches, params.samples * params.stretches, is_column);
    let first = select(number % params.groups * wide, number - all, is_column);
    var to_shift = 0.0;
    var to_scale = 0.0;
    for (var i = lane; i < stretches * wide; i += WORKGROUP) {
        let column = first + i % wide;
        let at = 2u * (begin + i / wide) * params.columns + column;
        let weight = select(scale[column], 1.0, is_column);
        to_shift += weight * parts[at];
        to_scale += weight * parts[at + params.columns];
    }
    let shift_sum = reduce_sum(lane, to_shift);
    let scale_sum = reduce_sum(lane, to_scale);
    if lane == 0u && is_column {
        d_shift[first] = shift_sum;
        d_scale[first] = scale_sum;
    } else if lane == 0u {
        sums[number] = shift_sum;
        sums[all + number] = scale_sum;
    }
}
