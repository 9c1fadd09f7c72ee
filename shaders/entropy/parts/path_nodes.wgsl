// Nodes of a network's paths: of each level weights, then entropies, the always-on source last in both;
// layout in src/ops/entropy/path_layout.rs, formulas in src/ops/entropy/path_chain.rs. The kernel has an array `nodes`.
const PATH_BEGIN: u32 = 0xFFFFFFFFu; // level 0 forward: all ones
const PATH_END: u32 = 0xFFFFFFFEu;   // last level backward: all ones but the source
const PATH_SOURCE: u32 = 1u;         // biases are edges from the source
const PATH_PRODUCT: u32 = 2u;        // an edge weighs |b||W|
const PATH_EDGE: u32 = 3u;           // an edge weighs |W| + |b|

fn path_weight(at: u32, n: u32, i: u32) -> f32 {
    if at >= PATH_END {
        return select(1.0, 0.0, at == PATH_END && i == n);
    }
    return nodes[at + i];
}

fn path_entropy(at: u32, n: u32, i: u32) -> f32 {
    if at >= PATH_END {
        return 0.0;
    }
    return nodes[at + n + 1u + i];
}

// Weight of an edge between neurons.
fn path_edge(bias: u32, w: f32, b: f32) -> f32 {
    if bias == PATH_PRODUCT {
        return abs(w) * abs(b);
    }
    return abs(w) + select(0.0, abs(b), bias == PATH_EDGE);
}
