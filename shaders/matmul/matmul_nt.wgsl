//!use index activation_value
// Forward pass of a linear layer: y[m,n] = act(x[m,k] · w[n,k]ᵀ + bias[n]).
//
// The inner dimension is the contiguous one of both operands, so both are read four
// neighbours at a time and each pair of vectors is one dot product. A thread keeps a tile of
// TILE_ROWS × 4·TILE_VECS results in registers for the whole sum (register blocking: Goto & van
// de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008). Software Vulkan loads
// lane by lane, which costs far more than a spilled register, so there the tile is large: at
// 16 × 16, 32 loads serve 1024 products. No barriers: software Vulkan switches coroutines there.
//
// The tile is an array of arrays so that every loop over it is as long as the array that it
// indexes: Mesa unrolls those always, but a long loop over a flat array never, and then the
// tile lives in memory (16 × 8 falls from 28 to 15 GFLOP/s).
//
// The sum runs over k in rising order, so the bits depend on neither the grid nor the device's
// scheduling. Threads past the tile count return; rows past the edge read the last row again
// (a clamped index never leaves the buffer) and are not stored.
//
// Header: TILE_ROWS, TILE_VECS, GROUP_SIZE, ACTIVATION (as in activation_value). Access: left, right and
// product as vec4 if k and n are
// multiples of 4, as scalar otherwise; left_gather where x comes from the data set.

struct Params {
    m: u32,
    n: u32,
    k: u32,
    has_bias: u32,   // 0: `bias` is bound but not read
}

@group(0) @binding(0) var<uniform> params: Params;
// Binding 1 is left: x [m, k]
// Binding 2 is right: w [n, k]
@group(0) @binding(3) var<storage, read> bias: array<f32>;               // [n]
@group(0) @binding(4) var<storage, read_write> product: array<Element>;  // y [m, n]

const TILE_COLS: u32 = 4u * TILE_VECS;

fn bias4(v: u32) -> vec4<f32> {
    if params.has_bias == 0u {
        return vec4<f32>();
    }
    let last = params.n - 1u;
    return vec4<f32>(bias[4u * v], bias[min(4u * v + 1u, last)],
        bias[min(4u * v + 2u, last)], bias[min(4u * v + 3u, last)]);
}

@compute @workgroup_size(GROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let n = params.n;
    let k = params.k;
    let tiles_n = (n + TILE_COLS - 1u) / TILE_COLS;
    let tiles_m = (params.m + TILE_ROWS - 1u) / TILE_ROWS;
    let tile = group_index(group, groups) * GROUP_SIZE + lane;
    if tile >= tiles_m * tiles_n {
        return;
    }
    let row0 = (tile / tiles_n) * TILE_ROWS;
    let col0 = (tile % tiles_n) * TILE_COLS;

    var rows_of_left: array<u32, TILE_ROWS>;
    for (var r = 0u; r < TILE_ROWS; r++) {
        rows_of_left[r] = left_start(min(row0 + r, params.m - 1u));
    }
    var sum: array<array<vec4<f32>, TILE_VECS>, TILE_ROWS>;
    let steps = (k + 3u) / 4u;
    for (var q = 0u; q < steps; q++) {
        var w: array<vec4<f32>, TILE_COLS>;
        for (var c = 0u; c < TILE_COLS; c++) {
            w[c] = right4(right_start(min(col0 + c, n - 1u)), k, q);
        }
        for (var r = 0u; r < TILE_ROWS; r++) {
            let x = left4(rows_of_left[r], k, q);
            for (var v = 0u; v < TILE_VECS; v++) {
                sum[r][v] += vec4<f32>(dot(x, w[4u * v]), dot(x, w[4u * v + 1u]),
                    dot(x, w[4u * v + 2u]), dot(x, w[4u * v + 3u]));
            }
        }
    }

    // Relu as a selection, not a maximum: a NaN passes, so that the loss can show it.
    let relu = vec4<bool>(ACTIVATION == 1u);
    let vec0 = col0 / 4u;
    let col_vecs = (n + 3u) / 4u;
    for (var v = 0u; v < TILE_VECS; v++) {
        if vec0 + v < col_vecs {
            let shift = bias4(vec0 + v);
            for (var r = 0u; r < TILE_ROWS; r++) {
                if row0 + r < params.m {
                    let z = sum[r][v] + shift;
                    store4(row0 + r, n, vec0 + v, select(z, vec4<f32>(), relu & (z < vec4<f32>())));
                }
            }
        }
    }

    // Other activations go over the stored tile in a loop of their own: unrolled with the tile, their
    // exponentials took longer to compile than the product itself.
    let end = select(row0, min(row0 + TILE_ROWS, params.m), ACTIVATION > 1u);
    for (var row = row0; row < end; row++) {
        for (var v = vec0; v < min(vec0 + TILE_VECS, col_vecs); v++) {
            store4(row, n, v, activation_value4(ACTIVATION, product4(row, n, v)));
        }
    }
}
