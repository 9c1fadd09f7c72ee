//!use index safe_math order lanes path_nodes path_step
// One layer of a network's paths forward, and one backward: the first groups compute the nodes that edges
// lead to, the others those that edges of another layer come from. LANES invocations share a node.
//
// Header: WORKGROUP and LANES, powers of two.

struct Params {
    forward: vec4<u32>,  // outputs and inputs of the layer; values of the nodes before, and of the results
    backward: vec4<u32>, // likewise
    alpha: f32,
    t: f32,
    infinite: u32,
    bias: u32,
    forward_groups: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> forward_w: array<f32>;   // [outputs, inputs]
@group(0) @binding(2) var<storage, read> forward_b: array<f32>;   // [outputs]
@group(0) @binding(3) var<storage, read> backward_w: array<f32>;  // [outputs, inputs]
@group(0) @binding(4) var<storage, read> backward_b: array<f32>;  // [outputs]
@group(0) @binding(5) var<storage, read_write> nodes: array<f32>;

// What this invocation computes.
var<private> outputs: u32;
var<private> inputs: u32;
var<private> values_before: u32;
var<private> is_forward: bool;

// Nodes on the far side of the edges, without the source.
fn before() -> u32 {
    return select(outputs, inputs, is_forward);
}

fn term_weight(t: u32) -> f32 {
    return path_weight(values_before, before(), t);
}

fn term_entropy(t: u32) -> f32 {
    return path_entropy(values_before, before(), t);
}

fn term_edge(i: u32, t: u32) -> f32 {
    let j = select(t, i, is_forward);
    let k = select(i, t, is_forward);
    if j == outputs {
        return select(0.0, 1.0, k == inputs); // the source stays on
    }
    var b = 0.0;
    if params.bias != 0u {
        if is_forward {
            b = forward_b[j];
        } else {
            b = backward_b[j];
        }
    }
    if k == inputs {
        return abs(b);
    }
    let at = j * inputs + k;
    if is_forward {
        return path_edge(params.bias, forward_w[at], b);
    }
    return path_edge(params.bias, backward_w[at], b);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    var group = group_index(workgroup, workgroups);
    is_forward = group < params.forward_groups;
    let layer = select(params.backward, params.forward, is_forward);
    group -= select(params.forward_groups, 0u, is_forward);
    outputs = layer.x;
    inputs = layer.y;
    values_before = layer.z;
    let source = select(0u, 1u, params.bias == PATH_SOURCE);
    let width = select(inputs, outputs, is_forward);
    // Groups past the end repeat the last node, since all must meet at the barriers.
    let wanted = (group * WORKGROUP + lane) / LANES;
    let i = min(wanted, width + source - 1u);
    let node = path_step(lane, i, before() + source, Order(params.alpha, params.t, params.infinite));
    if wanted == i && lane % LANES == 0u {
        nodes[layer.w + i] = node.weight;
        nodes[layer.w + width + 1u + i] = node.entropy;
    }
}
