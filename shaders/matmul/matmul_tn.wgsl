//!use index
// Weight and bias gradient of a linear layer: dw[m,n] = dy[k,m]ᵀ · x[k,n], db[m] = Σ_k dy[k,m],
// where k counts the samples of the batch, m the layer's outputs and n its inputs.
//
// Both operands are contiguous along the result's dimensions, so each sample is an outer
// product of two short vectors, added to a tile of results in registers. The column sums of dy
// cost next to nothing while dy passes by: every thread takes them, the threads of the first
// column of tiles store them. Tiling, order of the sum and edges are those of `matmul_nt`.
//
// With SPLITS above 1 each part of k has invocations and a product of its own, [SPLITS, m, n] in all, to be added by
// `matmul_join`: pixels are many and results few.
//
// Header: TILE_ROWS (a multiple of 4), TILE_VECS, GROUP_SIZE, SPLITS. Access: left, right and product as vec4 if
// m and n are multiples of 4, as scalar otherwise; right_gather where x comes from the data set.

struct Params {
    m: u32,
    n: u32,
    k: u32,
    wants_db: u32, // 0: `db` is bound but not written
}

@group(0) @binding(0) var<uniform> params: Params;
// Binding 1 is left: dy [k, m]
// Binding 2 is right: x [k, n]
@group(0) @binding(3) var<storage, read_write> product: array<Element>;  // dw [m, n]
@group(0) @binding(4) var<storage, read_write> db: array<f32>;           // [m]

const ROW_VECS: u32 = TILE_ROWS / 4u;

@compute @workgroup_size(GROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let m = params.m;
    let n = params.n;
    let row_vecs = (m + 3u) / 4u;
    let col_vecs = (n + 3u) / 4u;
    let tiles_m = (row_vecs + ROW_VECS - 1u) / ROW_VECS;
    let tiles_n = (col_vecs + TILE_VECS - 1u) / TILE_VECS;
    let index = group_index(group, groups) * GROUP_SIZE + lane;
    let part = index / (tiles_m * tiles_n);
    if part >= SPLITS {
        return;
    }
    let tile = index % (tiles_m * tiles_n);
    let part_length = (params.k + SPLITS - 1u) / SPLITS;
    let end = min((part + 1u) * part_length, params.k);
    let row_vec0 = (tile / tiles_n) * ROW_VECS;
    let vec0 = (tile % tiles_n) * TILE_VECS;

    // Indexed by vector of rows, vector of columns, row in the vector.
    var sum: array<array<array<vec4<f32>, 4>, TILE_VECS>, ROW_VECS>;
    var bias_sum: array<vec4<f32>, ROW_VECS>;
    for (var sample = part * part_length; sample < end; sample++) {
        let sample_left = left_start(sample);
        let sample_right = right_start(sample);
        var x: array<vec4<f32>, TILE_VECS>;
        for (var v = 0u; v < TILE_VECS; v++) {
            x[v] = right4(sample_right, n, min(vec0 + v, col_vecs - 1u));
        }
        for (var r = 0u; r < ROW_VECS; r++) {
            let dy = left4(sample_left, m, min(row_vec0 + r, row_vecs - 1u));
            bias_sum[r] += dy;
            for (var v = 0u; v < TILE_VECS; v++) {
                sum[r][v][0] += dy.x * x[v];
                sum[r][v][1] += dy.y * x[v];
                sum[r][v][2] += dy.z * x[v];
                sum[r][v][3] += dy.w * x[v];
            }
        }
    }

    for (var r = 0u; r < ROW_VECS; r++) {
        for (var s = 0u; s < 4u; s++) {
            let row = 4u * (row_vec0 + r) + s;
            if row < m {
                for (var v = 0u; v < TILE_VECS; v++) {
                    if vec0 + v < col_vecs {
                        store4(part * m + row, n, vec0 + v, sum[r][v][s]);
                    }
                }
                if vec0 == 0u && params.wants_db != 0u {
                    db[part * m + row] = bias_sum[r][s];
                }
            }
        }
    }
}
