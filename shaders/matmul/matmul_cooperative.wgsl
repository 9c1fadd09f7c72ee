//!use index product_operands
//!enable f16 wgpu_cooperative_matrix
// Matrix product on matrix units, in mixed precision: product[m,n] = Σ_k left · right with both operands
// rounded to f16 on their way, sums in f32; either operand transposed or not.
//
// A workgroup of four subgroups computes 64 × 64 results, each subgroup a quarter as 2 × 2 matrices of
// 16 × 16, which its lanes multiply together (Markidis et al., "NVIDIA Tensor Core Programmability,
// Performance & Precision", 2018). Tiles of TILE_K terms go through workgroup memory as in
// `matmul_shared`, edges and order likewise. What a lane holds of a matrix is the device's business, so
// results return to lanes through workgroup memory, one matrix at a time. Groups past the last tile run
// along and store nothing: cooperative work must not follow a branch.
//
// Header: SUBGROUP (its size). Access: left, right, product as vec4 or scalar; left_rows or
// left_columns, right_rows or right_columns; a finish_…; bias_sums or no_bias_sums.

const SIDE: u32 = 16u;
const TILE: u32 = 64u;
const TILE_K: u32 = 32u;
const THREADS: u32 = 4u * SUBGROUP;
const VECS: u32 = TILE / 4u;
const DEPTH: u32 = TILE_K / 4u;
const STRIDE: u32 = TILE + 8u;

var<workgroup> left_tile: array<f16, TILE_K * STRIDE>;   // [k][row]
var<workgroup> right_tile: array<f16, TILE_K * STRIDE>;  // [k][column]
var<workgroup> stage: array<f32, 4u * SIDE * SIDE>;      // a matrix for each subgroup

fn block_place(number: u32, along_k: bool) -> vec2<u32> {
    return select(vec2<u32>(number % VECS, number / VECS), vec2<u32>(number / DEPTH, number % DEPTH), along_k);
}

fn fetch(number: u32, row_vec0: u32, col_vec0: u32, q0: u32) {
    let i = block_place(number, LEFT_ALONG_K);
    let j = block_place(number, RIGHT_ALONG_K);
    var rows = left_block(row_vec0 + i.x, q0 + i.y);
    var columns = right_block(col_vec0 + j.x, q0 + j.y);
    for (var s = 0u; s < 4u; s++) {
        for (var e = 0u; e < 4u; e++) {
            left_tile[(4u * i.y + s) * STRIDE + 4u * i.x + e] = f16(rows[s][e]);
            right_tile[(4u * j.y + s) * STRIDE + 4u * j.x + e] = f16(columns[s][e]);
        }
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) thread: u32, @builtin(subgroup_id) subgroup: u32,
        @builtin(subgroup_invocation_id) lane: u32) {
    let tiles_n = (params.n + TILE - 1u) / TILE;
    let index = group_index(group, groups);
    let row_vec0 = (index / tiles_n) * VECS;
    let col_vec0 = (index % tiles_n) * VECS;
    let quarter = vec2<u32>(subgroup / 2u, subgroup % 2u) * (TILE / 2u);
    let own = subgroup * SIDE * SIDE;
    for (var e = lane; e < SIDE * SIDE; e += SUBGROUP) {
        stage[own + e] = 0.0;
    }
    workgroupBarrier();
    var sum: array<array<coop_mat16x16<f32, C>, 2>, 2>;
    for (var p = 0u; p < 4u; p++) {
        sum[p / 2u][p % 2u] = coopLoadT<coop_mat16x16<f32, C>>(&stage[own], SIDE);
    }
    var bias_sum = 0.0;
    for (var k0 = 0u; k0 < params.k; k0 += TILE_K) {
        workgroupBarrier();
        for (var b = thread; b < VECS * DEPTH; b += THREADS) {
            fetch(b, row_vec0, col_vec0, k0 / 4u);
        }
        workgroupBarrier();
        for (var kk = 0u; kk < TILE_K * STRIDE; kk += SIDE * STRIDE) {
            let b0 = coopLoadT<coop_mat16x16<f16, B>>(&right_tile[kk + quarter.y], STRIDE);
            let b1 = coopLoadT<coop_mat16x16<f16, B>>(&right_tile[kk + quarter.y + SIDE], STRIDE);
            for (var i = 0u; i < 2u; i++) {
                let a = coopLoad<coop_mat16x16<f16, A>>(&left_tile[kk + quarter.x + i * SIDE], STRIDE);
                sum[i][0] = coopMultiplyAdd(a, b0, sum[i][0]);
                sum[i][1] = coopMultiplyAdd(a, b1, sum[i][1]);
            }
        }
        if WANTS_BIAS_SUMS && thread < TILE {
            for (var kk = thread; kk < TILE_K * STRIDE; kk += STRIDE) { bias_sum += f32(left_tile[kk]); }
        }
    }
    for (var p = 0u; p < 4u; p++) {
        workgroupBarrier();
        coopStoreT(sum[p / 2u][p % 2u], &stage[own], SIDE);
        workgroupBarrier();
        for (var e = 4u * lane; e < SIDE * SIDE; e += 4u * SUBGROUP) {
            let row = 4u * row_vec0 + quarter.x + (p / 2u) * SIDE + e / SIDE;
            let vec = col_vec0 + (quarter.y + (p % 2u) * SIDE + e % SIDE) / 4u;
            let four = vec4<f32>(stage[own + e], stage[own + e + 1u], stage[own + e + 2u], stage[own + e + 3u]);
            if row < params.m && 4u * vec < params.n {
                store4(row, params.n, vec, finish4(row, vec, columns4(vec), four));
            }
        }
    }
    if WANTS_BIAS_SUMS && thread < TILE && col_vec0 == 0u && 4u * row_vec0 + thread < params.m {
        store_bias_sum(4u * row_vec0 + thread, bias_sum);
    }
}
