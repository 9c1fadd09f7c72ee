//!use index clock reduce safe_math weight_tile network_adam network_losses
// Weight gradients, the entropies' share of them, and Adam, in one kernel: a workgroup for every EDGE ×
// EDGE weights of a layer. The gradient of a weight never leaves its invocation, and nothing is written when
// a loss is not finite.
//
// Header: LAYERS, TERMS (at least 1), TERMS_USED.

struct Params {
    batch: u32,
    features: u32,
    groups: u32,   // tiles of all layers
    losses: u32,   // place in `workspace`: [batch]
    clock: u32,    // places in `state`
    rate: u32,
    decay: u32,    // 0 none, 1 in the gradient (L2), 2 decoupled
    values: u32,   // sums of entropies
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    weight_decay: f32,
    clock_betas: vec2<f32>,
    bias_decay: f32,
    layer_table: array<vec4<u32>, 2u * LAYERS>, // inputs, outputs, first tile, place of x; of deltas, W, b
    terms: array<vec4<u32>, 2u * TERMS>, // layers of W and b, incoming, bias weight; places of slopes and value, sum
    outputs: array<vec4<u32>, 2>, // places in `losses_out`: of the loss and of up to seven sums
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> state: array<u32>;            // span: clock and learning rate
@group(0) @binding(2) var<storage, read> data: array<u32>;             // bytes [rows of the set, features]
@group(0) @binding(3) var<storage, read> rows: array<u32>;             // [batch]
@group(0) @binding(4) var<storage, read> workspace: array<f32>;
@group(0) @binding(5) var<storage, read_write> weights: array<f32>;    // span: parameters
@group(0) @binding(6) var<storage, read_write> moment1: array<f32>;    // the same places
@group(0) @binding(7) var<storage, read_write> moment2: array<f32>;
@group(0) @binding(8) var<storage, read_write> losses_out: array<f32>; // span: the loss, sums of entropies

const ENTRY: u32 = 2u;

// Places of a layer's deltas and inputs in `workspace`, and which layer it is, as weight_tile hands it on.
fn delta_at(source: vec4<u32>, width: u32, sample: u32, column: u32) -> f32 {
    return workspace[source.x + sample * width + column];
}

// From the data set below the first layer.
fn input_at(source: vec4<u32>, width: u32, sample: u32, column: u32) -> f32 {
    if source.z > 0u {
        return workspace[source.y + sample * width + column];
    }
    return pixel(width, sample, column);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let index = group_index(group, groups);
    let finite = losses_are_finite(lane, index == 0u);
    let frozen = !finite || state[params.clock + CLOCK_BAD_STEP] != 0u;
    let tile = weight_tile(index, lane);
    let place = params.layer_table[ENTRY * tile.layer + 1u]; // of deltas, W, b
    let sums = weight_sums(tile, vec4<u32>(place.x, tile.shape.w, tile.layer, 0u), lane);
    if frozen || index >= params.groups || tile.output >= tile.shape.y {
        return;
    }
    if tile.input < tile.shape.x {
        let i = place.y + tile.output * tile.shape.x + tile.input;
        adam(i, sums.x + entropies(tile.layer, tile.output, tile.input, false, weights[i]), params.weight_decay);
    }
    if tile.input == 0u {
        let i = place.z + tile.output;
        adam(i, sums.y + entropies(tile.layer, tile.output, 0u, true, weights[i]), params.bias_decay);
    }
}
