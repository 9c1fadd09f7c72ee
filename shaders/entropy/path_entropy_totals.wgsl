//!use index safe_math order lanes path_nodes path_step
// What is left to compute of a network's paths once all nodes are there: of each level the sums that its
// edges are normalised by, the marginals and their entropy; of the last one the entropy of the paths. One
// workgroup a level.
//
// Header: WORKGROUP = LANES, a power of two; LEVELS, at least the number of levels.

struct Params {
    alpha: f32,
    t: f32,
    infinite: u32,
    bias: u32,
    levels: u32,
    levels_table: array<vec4<u32>, LEVELS>, // values forward and backward, width, marginals
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> nodes: array<f32>;
@group(0) @binding(2) var<storage, read_write> totals: array<f32>;    // [2 levels + 1]: Σ F and Σ F ∘ B of each, H
@group(0) @binding(3) var<storage, read_write> entropy: array<f32>;   // scalar
@group(0) @binding(4) var<storage, read_write> log_weight: array<f32>; // scalar
@group(0) @binding(5) var<storage, read_write> marginals: array<f32>; // [Σ widths]
@group(0) @binding(6) var<storage, read_write> entropies: array<f32>; // [levels]

var<private> forward: u32;
var<private> width: u32;

// The last step, from every output to one end.
fn term_weight(t: u32) -> f32 {
    return path_weight(forward, width, t);
}

fn term_entropy(t: u32) -> f32 {
    return path_entropy(forward, width, t);
}

fn term_edge(i: u32, t: u32) -> f32 {
    return 1.0;
}

// The weights of the levels are relative to each other: the log of all of it together.
fn log_of_all(lane: u32, source: u32) {
    var log_all = 0.0;
    for (var l = 0u; l < params.levels; l++) {
        let level = params.levels_table[l];
        // The source does not reach the end.
        let count = level.z + select(source, 0u, l == params.levels - 1u);
        var sum = 0.0;
        for (var i = lane; i < count; i += LANES) {
            sum += path_weight(level.x, level.z, i);
        }
        let total = sum_lanes(lane, sum);
        log_all = select(LOWEST, log_all + log(select(1.0, total, total > 0.0)), total > 0.0);
    }
    if lane == 0u {
        log_weight[0] = log_all;
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let l = min(group_index(workgroup, workgroups), params.levels - 1u);
    let level = params.levels_table[l];
    forward = level.x;
    width = level.z;
    let source = select(0u, 1u, params.bias == PATH_SOURCE);
    var all = 0.0;
    var through = 0.0;
    var through_neurons = 0.0;
    for (var i = lane; i < width + source; i += LANES) {
        let weight = term_weight(i);
        let both = weight * path_weight(level.y, width, i);
        all += weight;
        through += both;
        through_neurons += select(0.0, both, i < width);
    }
    let sum = sum_lanes(lane, all);
    let total = sum_lanes(lane, through);
    let neurons = sum_lanes(lane, through_neurons);
    var h = 0.0;
    for (var i = lane; i < width; i += LANES) {
        let both = term_weight(i) * path_weight(level.y, width, i);
        marginals[level.w + i] = select(0.0, both / max(total, 1e-38), total > 0.0);
        let p = both / max(neurons, 1e-38);
        if p > 0.0 {
            h -= p * log(p);
        }
    }
    let level_entropy = sum_lanes(lane, h);
    if l == params.levels - 1u {
        log_of_all(lane, source);
    }
    let end = path_step(lane, 0u, width, Order(params.alpha, params.t, params.infinite));
    if lane == 0u {
        totals[2u * l] = sum;
        totals[2u * l + 1u] = total;
        entropies[l] = level_entropy;
        if l == params.levels - 1u {
            totals[2u * params.levels] = end.entropy;
            entropy[0] = end.entropy;
        }
    }
}
