//!use index activation_slope activation_value
// Input gradient of a linear layer: dx[m,n] = (dy[m,k] · w[k,n]) ∘ act'(h[m,n]).
//
// Weights keep the layout of the forward pass, so here their contiguous dimension is the
// result's: four rows of w meet one vector of dy. Since h = act(z) is what was stored, the
// slope comes from it, as in activation_slope. A transposed convolution has its bias and activation there instead. Fusing the mask here saves a
// dispatch and a pass over memory for every layer. Tiling, order of the sum and edges are
// those of `matmul_nt`.
//
// Header: TILE_ROWS, TILE_VECS, GROUP_SIZE, ACTIVATION (whose slope multiplies: 0 none, `h` bound but not
// read). Access: left, right, product and mask as vec4 if k and n are
// multiples of 4, as scalar otherwise.

struct Params {
    m: u32,
    n: u32,
    k: u32,
    has_bias: u32,   // 1: `h` is a bias [n] instead, and the activation's value is stored
}

@group(0) @binding(0) var<uniform> params: Params;
// Binding 1 is left: dy [m, k]
// Binding 2 is right: w [k, n]
@group(0) @binding(3) var<storage, read> h: array<Element>;              // [m, n]
@group(0) @binding(4) var<storage, read_write> product: array<Element>;  // dx [m, n]

@compute @workgroup_size(GROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let n = params.n;
    let k = params.k;
    let col_vecs = (n + 3u) / 4u;
    let tiles_n = (col_vecs + TILE_VECS - 1u) / TILE_VECS;
    let tiles_m = (params.m + TILE_ROWS - 1u) / TILE_ROWS;
    let tile = group_index(group, groups) * GROUP_SIZE + lane;
    if tile >= tiles_m * tiles_n {
        return;
    }
    let row0 = (tile / tiles_n) * TILE_ROWS;
    let vec0 = (tile % tiles_n) * TILE_VECS;

    var sum: array<array<vec4<f32>, TILE_VECS>, TILE_ROWS>;
    let steps = (k + 3u) / 4u;
    for (var q = 0u; q < steps; q++) {
        // Past the end of k, dy reads as zero, so which row of w meets it is all the same.
        var w: array<array<vec4<f32>, TILE_VECS>, 4>;
        for (var s = 0u; s < 4u; s++) {
            for (var v = 0u; v < TILE_VECS; v++) {
                w[s][v] =
                    right4(right_start(min(4u * q + s, k - 1u)), n, min(vec0 + v, col_vecs - 1u));
            }
        }
        for (var r = 0u; r < TILE_ROWS; r++) {
            let dy = left4(left_start(min(row0 + r, params.m - 1u)), k, q);
            for (var v = 0u; v < TILE_VECS; v++) {
                sum[r][v] += dy.x * w[0][v] + dy.y * w[1][v]
                    + dy.z * w[2][v] + dy.w * w[3][v];
            }
        }
    }

    for (var v = 0u; v < TILE_VECS; v++) {
        if vec0 + v < col_vecs {
            for (var r = 0u; r < TILE_ROWS; r++) {
                if row0 + r < params.m {
                    store4(row0 + r, n, vec0 + v, sum[r][v]);
                }
            }
        }
    }

    // The slope goes over the stored tile in a loop of its own: unrolled with the tile, its
    // loads took longer to compile than the product itself.
    let is_biased = params.has_bias != 0u;
    let end = select(row0, min(row0 + TILE_ROWS, params.m), ACTIVATION != 0u || is_biased);
    for (var row = row0; row < end; row++) {
        for (var v = vec0; v < min(vec0 + TILE_VECS, col_vecs); v++) {
            let z = product4(row, n, v);
            if is_biased {
                store4(row, n, v, activation_value4(ACTIVATION, z + h4(0u, n, v)));
            } else {
                store4(row, n, v, z * activation_slope4(ACTIVATION, h4(row, n, v)));
            }
        }
    }
}
