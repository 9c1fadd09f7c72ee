//!use index product_operands
// Matrix product by tiles in workgroup memory, for GPUs with many cores and fast shared memory:
// product[m,n] = Σ_k left · right, either operand transposed or not.
//
// A workgroup computes TILE_M × TILE_N results. It brings TILE_K terms of both operands at a time
// into shared memory; each thread keeps 4·ROW_VECS × 4·COL_VECS results in registers (tiling in two
// levels: Volkov & Demmel, "Benchmarking GPUs to Tune Dense Linear Algebra", 2008). Loads go in
// blocks of 4 × 4, neighbours along the operand's contiguous dimension in neighbouring threads, so
// they coalesce; an operand that runs along k is transposed in registers on its way. A thread's
// vectors lie COL_THREADS apart, and a tile's rows are one vector longer than the tile: both keep
// threads off each other's memory banks.
//
// The sum runs over k in rising order, so the bits do not depend on scheduling. Past the end of k
// both operands read as zero; rows and columns past the edge read the last one again and are not
// stored. With SPLITS above 1 each part of k has workgroups and a product of its own, [SPLITS, m, n]
// in all, to be added by `matmul_join`: long sums with few results would leave most cores idle.
//
// Header: TILE_M, TILE_N, TILE_K, ROW_VECS, COL_VECS, SPLITS. Access: left, right, product as vec4
// or scalar; left_rows or left_columns, right_rows or right_columns; a finish_…; bias_sums or no_bias_sums.

const ROW_THREADS: u32 = TILE_M / (4u * ROW_VECS);
const COL_THREADS: u32 = TILE_N / (4u * COL_VECS);
const THREADS: u32 = ROW_THREADS * COL_THREADS;
const LEFT_VECS: u32 = TILE_M / 4u;
const RIGHT_VECS: u32 = TILE_N / 4u;
const DEPTH: u32 = TILE_K / 4u;

var<workgroup> left_tile: array<array<vec4<f32>, LEFT_VECS + 1u>, TILE_K>;
var<workgroup> right_tile: array<array<vec4<f32>, RIGHT_VECS + 1u>, TILE_K>;

// Which vector and which four k of a tile make its block of this number.
fn block_place(number: u32, vecs: u32, along_k: bool) -> vec2<u32> {
    return select(vec2<u32>(number % vecs, number / vecs), vec2<u32>(number / DEPTH, number % DEPTH), along_k);
}

// Brings one block of the tiles: those of the left operand come first.
fn fetch_block(number: u32, row_vec0: u32, col_vec0: u32, q0: u32) {
    if number < LEFT_VECS * DEPTH {
        let at = block_place(number, LEFT_VECS, LEFT_ALONG_K);
        var block = left_block(row_vec0 + at.x, q0 + at.y);
        for (var s = 0u; s < 4u; s++) { left_tile[4u * at.y + s][at.x] = block[s]; }
    } else {
        let at = block_place(number - LEFT_VECS * DEPTH, RIGHT_VECS, RIGHT_ALONG_K);
        var block = right_block(col_vec0 + at.x, q0 + at.y);
        for (var s = 0u; s < 4u; s++) { right_tile[4u * at.y + s][at.x] = block[s]; }
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let tiles_m = (params.m + TILE_M - 1u) / TILE_M;
    let tiles_n = (params.n + TILE_N - 1u) / TILE_N;
    let index = group_index(group, groups);
    let part = index / (tiles_m * tiles_n);
    if part >= SPLITS {
        return;
    }
    let tile = index % (tiles_m * tiles_n);
    let row_vec0 = (tile / tiles_n) * LEFT_VECS;
    let col_vec0 = (tile % tiles_n) * RIGHT_VECS;
    let row_thread = lane / COL_THREADS;
    let col_thread = lane % COL_THREADS;
    let part_length = ((params.k + TILE_K * SPLITS - 1u) / (TILE_K * SPLITS)) * TILE_K;
    let end = min((part + 1u) * part_length, params.k);

    // Indexed by vector of rows, vector of columns, row in the vector.
    var sum: array<array<array<vec4<f32>, 4>, COL_VECS>, ROW_VECS>;
    var bias_sum = 0.0;
    for (var k0 = part * part_length; k0 < end; k0 += TILE_K) {
        workgroupBarrier();
        for (var b = lane; b < (LEFT_VECS + RIGHT_VECS) * DEPTH; b += THREADS) {
            fetch_block(b, row_vec0, col_vec0, k0 / 4u);
        }
        workgroupBarrier();
        for (var kk = 0u; kk < TILE_K; kk++) {
            var x: array<vec4<f32>, COL_VECS>;
            for (var v = 0u; v < COL_VECS; v++) { x[v] = right_tile[kk][v * COL_THREADS + col_thread]; }
            for (var r = 0u; r < ROW_VECS; r++) {
                let y = left_tile[kk][r * ROW_THREADS + row_thread];
                for (var v = 0u; v < COL_VECS; v++) {
                    sum[r][v][0] += y.x * x[v];
                    sum[r][v][1] += y.y * x[v];
                    sum[r][v][2] += y.z * x[v];
                    sum[r][v][3] += y.w * x[v];
                }
            }
        }
        if WANTS_BIAS_SUMS && lane < TILE_M && col_vec0 == 0u {
            for (var kk = 0u; kk < TILE_K; kk++) { bias_sum += left_tile[kk][lane / 4u][lane % 4u]; }
        }
    }

    var columns: array<vec4<f32>, COL_VECS>;
    for (var v = 0u; v < COL_VECS; v++) {
        columns[v] = columns4(min(col_vec0 + v * COL_THREADS + col_thread, (params.n - 1u) / 4u));
    }
    for (var r = 0u; r < ROW_VECS; r++) {
        for (var s = 0u; s < 4u; s++) {
            let row = 4u * (row_vec0 + r * ROW_THREADS + row_thread) + s;
            for (var v = 0u; v < COL_VECS; v++) {
                let vec = col_vec0 + v * COL_THREADS + col_thread;
                if row < params.m && 4u * vec < params.n {
                    store4(part * params.m + row, params.n, vec, finish4(row, vec, columns[v], sum[r][v][s]));
                }
            }
        }
    }
    if WANTS_BIAS_SUMS && lane < TILE_M && col_vec0 == 0u && 4u * row_vec0 + lane < params.m {
        store_bias_sum(part * params.m + 4u * row_vec0 + lane, bias_sum);
    }
}
