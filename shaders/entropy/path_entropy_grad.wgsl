//!use index safe_math lanes path_nodes
// Gradient of the path entropy for one layer, once nodes and totals are there; formulas in
// src/ops/entropy/path_entropy_grad.rs. LANES invocations share an output neuron.
//
// Header: WORKGROUP and LANES, powers of two.

struct Params {
    outputs: u32,
    inputs: u32,
    forward: u32,  // values of the nodes before the edges
    backward: u32, // and of those behind them
    alpha: f32,
    t: f32,
    infinite: u32,
    bias: u32,
    level: u32,    // where the totals of the level before the edges lie
    levels: u32,
    add: u32,      // 1: to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;       // [outputs, inputs]
@group(0) @binding(2) var<storage, read> b: array<f32>;       // [outputs]
@group(0) @binding(3) var<storage, read> nodes: array<f32>;
@group(0) @binding(4) var<storage, read> totals: array<f32>;  // [2 levels + 1]
@group(0) @binding(5) var<storage, read> dh: array<f32>;      // scalar
@group(0) @binding(6) var<storage, read_write> dw: array<f32>; // [outputs, inputs]
@group(0) @binding(7) var<storage, read_write> db: array<f32>; // [outputs]

// dH/dA of an edge from node k to a node with this weight and entropy backward.
fn slope(edge: f32, k: u32, b_weight: f32, b_entropy: f32) -> f32 {
    let scale = totals[params.level] * totals[params.level + 3u];
    let flow = path_weight(params.forward, params.inputs, k) * b_weight / max(scale, 1e-38);
    if edge <= 0.0 || flow * edge <= 0.0 || scale <= 0.0 {
        return 0.0;
    }
    let h = path_entropy(params.forward, params.inputs, k) + b_entropy;
    let y = log(flow * edge) - h + totals[2u * params.levels];
    return -params.alpha * flow * y * expm1_over_x(-params.t * y);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    // Groups past the end repeat the last neuron, since all must meet at the barriers.
    let wanted = (group_index(workgroup, workgroups) * WORKGROUP + lane) / LANES;
    let j = min(wanted, params.outputs - 1u);
    let is_own = wanted == j;
    let seed = dh[0];
    let bias = select(0.0, b[j], params.bias != 0u);
    let b_weight = path_weight(params.backward, params.outputs, j);
    let b_entropy = path_entropy(params.backward, params.outputs, j);
    var to_bias = 0.0;
    for (var k = lane % LANES; k < params.inputs; k += LANES) {
        let at = j * params.inputs + k;
        let weight = w[at];
        let s = seed * slope(path_edge(params.bias, weight, bias), k, b_weight, b_entropy);
        let through_bias = select(1.0, abs(bias), params.bias == PATH_PRODUCT);
        to_bias += s * select(select(0.0, 1.0, params.bias == PATH_EDGE), abs(weight), params.bias == PATH_PRODUCT);
        if is_own {
            let before = select(0.0, dw[at], params.add == 1u);
            dw[at] = before + sign(weight) * through_bias * s;
        }
    }
    var total = sum_lanes(lane, to_bias);
    if params.bias == PATH_SOURCE {
        total = seed * slope(abs(bias), params.inputs, b_weight, b_entropy);
    }
    if is_own && lane % LANES == 0u {
        db[j] = select(0.0, db[j], params.add == 1u) + sign(bias) * total;
    }
}
