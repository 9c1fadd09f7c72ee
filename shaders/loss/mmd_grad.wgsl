//!use index clock mmd_kernel mmd_sets
// Gradient of the squared maximum mean discrepancy by the codes, one workgroup a row. Partners come in tiles: every
// lane finds the pull of one of them, then every lane adds all pulls in its own columns, in the order of the partners.

@group(0) @binding(4) var<storage, read> dy: array<f32>;      // [1]
@group(0) @binding(5) var<storage, read_write> d: array<f32>; // [code_rows, columns]

var<workgroup> pulls: array<f32, WORKGROUP>;

// Adds the pulls of `count` partners on row i.
fn pull(lane: u32, i: u32, of_codes: bool, count: u32, weight: f32) {
    let first = i * params.columns;
    for (var tile = 0u; tile < max(params.code_rows, params.draw_rows); tile += WORKGROUP) {
        let j = tile + lane;
        var force = 0.0;
        if j < count && !(of_codes && j == i) {
            var distance = 0.0;
            for (var k = 0u; k < params.columns; k++) {
                let step = codes[first + k] - element(of_codes, j * params.columns + k);
                distance += step * step;
            }
            force = weight * mmd_slope(params.kind, params.scale, distance);
        }
        workgroupBarrier();
        pulls[lane] = force;
        workgroupBarrier();
        let partners = min(WORKGROUP, count - min(count, tile));
        // Who has no partners writes nothing: the row may be another group's.
        if partners == 0u {
            continue;
        }
        for (var k = lane; k < params.columns; k += WORKGROUP) {
            var sum = d[first + k];
            for (var p = 0u; p < partners; p++) {
                sum += pulls[p] * (codes[first + k] - element(of_codes, (tile + p) * params.columns + k));
            }
            d[first + k] = sum;
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let row = group_index(group, groups);
    // Groups past the end have no row of their own, but must meet at the barriers.
    let i = min(row, params.code_rows - 1u);
    let mine = row < params.code_rows;
    let m = valid_codes();
    let n = valid_draws();
    let valid = mine && i < m;
    if mine {
        for (var k = lane; k < params.columns; k += WORKGROUP) {
            d[i * params.columns + k] = 0.0;
        }
    }
    // Every pair of codes is counted twice, and the square's derivative gives another 2.
    let count = f32(max(m, 1u));
    let within = select(0.0, 4.0 * dy[0] / (count * max(count - 1.0, 1.0)), m > 1u);
    let across = select(0.0, -4.0 * dy[0] / (count * f32(max(n, 1u))), n > 0u);
    pull(lane, i, true, select(0u, m, valid), within);
    pull(lane, i, false, select(0u, n, valid), across);
}
