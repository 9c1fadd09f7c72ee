//!use index product_operands
// Matrix product by tiles in registers, whose left operand the lanes of a subgroup hold for each other:
// product[m,n] = Σ_k left · right, either operand transposed or not.
//
// Eight neighbouring lanes share a tile of 4·ROW_VECS rows; each has 4·COL_VECS columns of its own. The
// eight load eight different blocks of 4 × 4 of the left operand, and every lane gets each of them by
// shuffles: an element is loaded once for eight lanes, with no workgroup memory and no barrier. Eight is
// no assumption on the subgroup but that eight divides its size.
//
// A lane's number is taken from its place in the subgroup, never from the invocation's index: WGSL does
// not say how the two relate. Lanes past the last tile compute the last one again, since a shuffle needs
// all its lanes, and store nothing. The sum runs over k in rising order, so the bits do not depend on
// scheduling; edges are as in `matmul_shared`.
//
// Header: ROW_VECS (divides 8), COL_VECS. Access: left, right, product as vec4 or scalar, left_gather or
// right_gather where one comes from the data set; left_rows or left_columns, right_rows or right_columns; a
// finish_…; bias_sums or no_bias_sums.

const LANES: u32 = 8u;
const GROUP_SIZE: u32 = 64u;
// Vectors of four k that the lanes of a tile hold at a time.
const DEPTH: u32 = LANES / ROW_VECS;

@compute @workgroup_size(GROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(subgroup_id) subgroup: u32, @builtin(subgroup_size) size: u32,
        @builtin(subgroup_invocation_id) place: u32) {
    let col_vecs = (params.n + 3u) / 4u;
    let tiles_m = (params.m + 4u * ROW_VECS - 1u) / (4u * ROW_VECS);
    let tiles_n = (col_vecs + LANES * COL_VECS - 1u) / (LANES * COL_VECS);
    let wanted = (group_index(group, groups) * GROUP_SIZE + subgroup * size + place) / LANES;
    let tile = min(wanted, tiles_m * tiles_n - 1u);
    let row_vec0 = (tile / tiles_n) * ROW_VECS;
    let lane = place % LANES;
    let vec0 = (tile % tiles_n) * LANES * COL_VECS + lane;

    // Indexed by vector of rows, vector of columns, row in the vector.
    var sum: array<array<array<vec4<f32>, 4>, COL_VECS>, ROW_VECS>;
    var bias_sum = vec4<f32>();
    for (var q0 = 0u; 4u * q0 < params.k; q0 += DEPTH) {
        var mine = left_block(row_vec0 + lane % ROW_VECS, q0 + lane / ROW_VECS);
        bias_sum += mine[0] + mine[1] + mine[2] + mine[3];
        for (var d = 0u; d < DEPTH; d++) {
            var x: array<mat4x4<f32>, COL_VECS>;
            for (var v = 0u; v < COL_VECS; v++) {
                x[v] = right_block(vec0 + LANES * v, q0 + d);
            }
            for (var r = 0u; r < ROW_VECS; r++) {
                let holder = place - lane + d * ROW_VECS + r;
                for (var s = 0u; s < 4u; s++) {
                    let y = subgroupShuffle(mine[s], holder);
                    for (var v = 0u; v < COL_VECS; v++) {
                        sum[r][v][0] += y.x * x[v][s];
                        sum[r][v][1] += y.y * x[v][s];
                        sum[r][v][2] += y.z * x[v][s];
                        sum[r][v][3] += y.w * x[v][s];
                    }
                }
            }
        }
    }

    // A lane has summed every DEPTH-th block of four k of its rows; the first lanes collect the rest.
    var bias_total = vec4<f32>();
    if WANTS_BIAS_SUMS {
        for (var d = 0u; d < DEPTH; d++) {
            bias_total += subgroupShuffle(bias_sum, place - lane + d * ROW_VECS + lane % ROW_VECS);
        }
    }

    if wanted != tile {
        return;
    }
    var columns: array<vec4<f32>, COL_VECS>;
    for (var v = 0u; v < COL_VECS; v++) { columns[v] = columns4(min(vec0 + LANES * v, col_vecs - 1u)); }
    for (var r = 0u; r < ROW_VECS; r++) {
        for (var s = 0u; s < 4u; s++) {
            let row = 4u * (row_vec0 + r) + s;
            for (var v = 0u; v < COL_VECS; v++) {
                let vec = vec0 + LANES * v;
                if row < params.m && vec < col_vecs {
                    store4(row, params.n, vec, finish4(row, vec, columns[v], sum[r][v][s]));
                }
            }
        }
    }
    if WANTS_BIAS_SUMS && lane < ROW_VECS && tile % tiles_n == 0u {
        for (var s = 0u; s < 4u; s++) {
            let row = 4u * (row_vec0 + lane) + s;
            if row < params.m {
                store_bias_sum(row, bias_total[s]);
            }
        }
    }
}
