//!use index clock reduce mmd_kernel mmd_sets
// What row i of the codes and row i of the draws add to the squared maximum mean discrepancy: one workgroup a row,
// every lane its share of the partners. The three means are joined row by row, so that what cancels in the total
// cancels before it can lose digits.

@group(0) @binding(4) var<storage, read_write> terms: array<f32>; // [max(code_rows, draw_rows)]

// Kernel of row i of one set and row j of another.
fn pair(left: bool, i: u32, right: bool, j: u32) -> f32 {
    var d = 0.0;
    for (var k = 0u; k < params.columns; k++) {
        let step = element(left, i * params.columns + k) - element(right, j * params.columns + k);
        d += step * step;
    }
    return mmd_value(params.kind, params.scale, d);
}

// 1 over a number of pairs, 0 where there are none.
fn share(pairs: f32) -> f32 {
    return select(0.0, 1.0 / max(pairs, 1.0), pairs > 0.0);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    // Groups past the end repeat the last row, since all must meet at the barriers.
    let i = min(group_index(group, groups), max(params.code_rows, params.draw_rows) - 1u);
    let m = valid_codes();
    let n = valid_draws();
    var within = 0.0;
    var among = 0.0;
    var across = 0.0;
    if i < m {
        for (var j = lane; j < m; j += WORKGROUP) {
            if j != i {
                within += pair(true, i, true, j);
            }
        }
        for (var j = lane; j < n; j += WORKGROUP) {
            across += pair(true, i, false, j);
        }
    }
    if i < n {
        for (var j = lane; j < n; j += WORKGROUP) {
            if j != i {
                among += pair(false, i, false, j);
            }
        }
    }
    let codes_count = f32(m);
    let draws_count = f32(n);
    let total_within = reduce_sum(lane, within) * share(codes_count * (codes_count - 1.0));
    let total_among = reduce_sum(lane, among) * share(draws_count * (draws_count - 1.0));
    let total_across = reduce_sum(lane, across) * share(codes_count * draws_count);
    if lane == 0u {
        terms[i] = (total_within - total_across) + (total_among - total_across);
    }
}
