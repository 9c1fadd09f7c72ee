//!use index clock threefry permutation batch_row activation_value activation_slope reduce safe_math order renyi activeness_term network_tile network_batch network_layers network_loss
// Forward and backward pass of a whole network, a workgroup for every TILE samples: their activations
// stay in workgroup memory and deltas replace them on the way back. What the weight gradients need
// is written down once. Further workgroups compute one entropy of the weights each, with its slopes,
// before any parameter changes. `network_update` is the other half of the step.
//
// Header: WORKGROUP, FLOATS (neurons of a sample), LAYERS, TERMS, NEURONS. Samples: samples2, samples4.

struct Params {
    layers: u32,
    batch: u32,
    features: u32,
    tiles: u32,
    loss: u32,   // 0 mean squared error, 1 sum of squares
    clock: u32,  // places in `state`: of the clock and of the gradient of the loss
    seed: u32,
    losses: u32, // place in `workspace`: [batch]
    layer_table: array<vec4<u32>, 3u * LAYERS>,
    terms: array<vec4<u32>, 4u * TERMS>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> state: array<u32>;           // span: clock and seeds
@group(0) @binding(2) var<storage, read> data: array<u32>;            // bytes [rows of the set, features]
@group(0) @binding(3) var<storage, read> weights: array<f32>;         // span: parameters
@group(0) @binding(4) var<storage, read_write> rows: array<u32>;      // [batch]
@group(0) @binding(5) var<storage, read_write> workspace: array<f32>; // activations, deltas, losses, entropies

fn clock_word(i: u32) -> u32 {
    return state[params.clock + i];
}

fn entropy(lane: u32, term: u32) {
    let place = params.terms[4u * term];       // of W and b in `weights`, slopes and value in `workspace`
    let shape = params.terms[4u * term + 1u]; // neurons, weights of each, strides of both
    let numbers = bitcast<vec4<f32>>(params.terms[4u * term + 2u]); // bias weight, alpha, 1 − alpha
    let flags = params.terms[4u * term + 3u];  // whether alpha is infinite, place of the seed
    activeness_of(lane, place, shape, numbers.x);
    let order = Order(numbers.y, numbers.z, flags.x);
    let r = renyi(lane, shape.x, order);
    if lane == 0u {
        workspace[place.w] = r.entropy;
    }
    for (var i = lane; i < shape.x; i += WORKGROUP) {
        workspace[place.z + i] = bitcast<f32>(state[flags.y]) * renyi_slope(r, order, activeness[i]);
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let tile = group_index(group, groups);
    if tile >= params.tiles {
        // Groups past the end repeat the last entropy: the grid may be folded.
        if TERMS_USED > 0u {
            entropy(lane, min(tile - params.tiles, TERMS_USED - 1u));
        }
        return;
    }
    let sample = tile * TILE;
    gather(lane, sample);
    for (var i = 0u; i + 1u < params.layers; i++) {
        forward_layer(lane, sample, layer_at(i));
    }
    loss_and_deltas(lane, sample, layer_at(params.layers - 1u));
    for (var i = params.layers - 1u; i > 0u; i--) {
        backward_layer(lane, sample, layer_at(i), layer_at(i - 1u));
    }
}
