//!use index product_operands
// The parts of a product whose sum over k was split among workgroups, added in the order of k and
// finished: product[m,n] = finish(Σ_part parts[part,m,n]), and the parts of a bias gradient likewise.
//
// The parts [SPLITS, m, n] are `left`, those of the bias gradient [SPLITS, m], if it is wanted, `right`.
//
// A thread adds four neighbours; the order is fixed, so the bits are. The threads behind those of
// the product add the bias gradient.
//
// Header: SPLITS. Access: left, right, product as vec4 or scalar; a finish_…; bias_sums or no_bias_sums.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let col_vecs = (params.n + 3u) / 4u;
    let index = group_index(group, groups) * 64u + lane;
    var sum = vec4<f32>();
    if index < params.m * col_vecs {
        let row = index / col_vecs;
        let vec = index % col_vecs;
        for (var part = 0u; part < SPLITS; part++) {
            sum += left4(part * params.m + row, params.n, vec);
        }
        store4(row, params.n, vec, finish4(row, vec, columns4(vec), sum));
    } else if WANTS_BIAS_SUMS {
        let vec = index - params.m * col_vecs;
        if 4u * vec >= params.m {
            return;
        }
        for (var part = 0u; part < SPLITS; part++) {
            sum += right4(part, params.m, vec);
        }
        for (var s = 0u; s < 4u; s++) {
            if 4u * vec + s < params.m {
                store_bias_sum(4u * vec + s, sum[s]);
            }
        }
    }
}
