// The sum and the mean of term(i) over the valid rows of a column, by a workgroup: every lane takes a strided share, and the
// shares meet in `reduce`. The kernel has term(i) and params.columns; uses index and reduce.

// The column of a workgroup. Groups past the end repeat the last column, since all must meet at the barriers.
fn column_of(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return min(group_index(group, groups), params.columns - 1u);
}

fn column_sum(lane: u32, column: u32, valid: u32) -> f32 {
    var sum = 0.0;
    for (var row = lane; row < valid; row += WORKGROUP) {
        sum += term(row * params.columns + column);
    }
    return reduce_sum(lane, sum);
}

fn column_mean(lane: u32, column: u32, valid: u32) -> f32 {
    return column_sum(lane, column, valid) / f32(max(valid, 1u));
}
