//!use index
// Matrix product by tiles in registers, whose right operand comes from a uniform buffer:
// product[m,n] = Σ_k left · right, the right operand transposed or not.
//
// All invocations of a workgroup need the same columns of the right operand at the same time, and a
// uniform buffer is what devices read at one address for all: through a constant cache, or once a
// vector of lanes on software Vulkan. Rows are each lane's own. A uniform binding holds 64 KiB, so the
// right operand comes in chunks of its rows, a dispatch each. A chunk of [n, k] is a range of columns
// of the product; a chunk of [k, n] is a range of k, and its dispatch adds to what the one before it
// stored. The last finishes.
//
// The sum runs over k in rising order, chunk after chunk, so the bits do not depend on scheduling. Edges
// are as in `matmul_shared`; chunks are cut at multiples of a tile, so none reaches into the next.
//
// Header: ROW_VECS, COL_VECS, GROUP_SIZE. Access: left, right_uniform, product as vec4 or scalar;
// left_rows, right_rows or right_columns; a finish_….

struct Params {
    m: u32,
    n: u32,
    k: u32,
    first: u32,      // first row of the right operand in this chunk
    rows: u32,       // rows in this chunk
    skip: u32,       // elements bound before them
}

@group(0) @binding(0) var<uniform> params: Params;
// Binding 1 is left: [m, k]
@group(0) @binding(2) var<uniform> right: array<vec4<f32>, 4096>;        // rows of [n, k] or [k, n]
@group(0) @binding(3) var<storage, read_write> product: array<Element>;  // [m, n]

@compute @workgroup_size(GROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first_col = select(0u, params.first, RIGHT_ALONG_K);
    let end_col = select(params.n, params.first + params.rows, RIGHT_ALONG_K);
    let first_k = select(params.first, 0u, RIGHT_ALONG_K);
    let end_k = select(params.first + params.rows, params.k, RIGHT_ALONG_K);
    let tiles_n = (end_col - first_col + 4u * COL_VECS - 1u) / (4u * COL_VECS);
    let index = group_index(group, groups);
    let row_vec0 = ((index / tiles_n) * GROUP_SIZE + lane) * ROW_VECS;
    if 4u * row_vec0 >= params.m {
        return;
    }
    let vec0 = first_col / 4u + (index % tiles_n) * COL_VECS;
    let end_vec = (end_col + 3u) / 4u;

    // Indexed by vector of rows, vector of columns, row in the vector.
    var sum: array<array<array<vec4<f32>, 4>, COL_VECS>, ROW_VECS>;
    for (var q = first_k / 4u; 4u * q < end_k; q++) {
        var x: array<mat4x4<f32>, COL_VECS>;
        for (var v = 0u; v < COL_VECS; v++) {
            x[v] = right_block(min(vec0 + v, end_vec - 1u), q);
        }
        for (var r = 0u; r < ROW_VECS; r++) {
            let y = left_block(row_vec0 + r, q);
            for (var v = 0u; v < COL_VECS; v++) {
                for (var s = 0u; s < 4u; s++) {
                    sum[r][v][s] += y[0][s] * x[v][0] + y[1][s] * x[v][1] + y[2][s] * x[v][2] + y[3][s] * x[v][3];
                }
            }
        }
    }

    var columns: array<vec4<f32>, COL_VECS>;
    for (var v = 0u; v < COL_VECS; v++) { columns[v] = columns4(min(vec0 + v, end_vec - 1u)); }
    for (var r = 0u; r < ROW_VECS; r++) {
        for (var s = 0u; s < 4u; s++) {
            let row = 4u * (row_vec0 + r) + s;
            for (var v = 0u; v < COL_VECS; v++) {
                let vec = vec0 + v;
                if row < params.m && vec < end_vec {
                    var total = sum[r][v][s];
                    if first_k > 0u {
                        total = product4(row, params.n, vec) + total;
                    }
                    if end_k == params.k {
                        total = finish4(row, vec, columns[v], total);
                    }
                    store4(row, params.n, vec, total);
                }
            }
        }
    }
}
