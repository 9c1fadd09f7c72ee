//!use index clock reduce safe_math network_adam network_losses
// Weight gradients, the entropies' share of them, and Adam, in one kernel: a workgroup for every EDGE ×
// EDGE weights of a layer. Batch and deltas pass through workgroup memory EDGE samples at a time, the
// gradient of a weight never leaves its invocation, and nothing is written when a loss is not finite.
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
    lambda: f32,
    clock_betas: vec4<f32>,
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

const EDGE: u32 = 16u;
const WORKGROUP: u32 = 256u;
const PADDING: u32 = 0xFFFFFFFFu;

var<workgroup> deltas: array<array<f32, EDGE>, EDGE>; // [sample, output]
var<workgroup> inputs: array<array<f32, EDGE>, EDGE>; // [sample, input]

// One sample's input of a layer: from the data set below the first layer.
fn input_at(layer: u32, place: u32, width: u32, sample: u32, column: u32) -> f32 {
    if layer > 0u {
        return workspace[place + sample * width + column];
    }
    let row = rows[sample];
    if row == PADDING {
        return 0.0;
    }
    let word = data[row * (width / 4u) + column / 4u];
    return f32((word >> (8u * (column % 4u))) & 255u) / 255.0;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let index = group_index(group, groups);
    let finite = losses_are_finite(lane, index == 0u);
    let frozen = !finite || state[params.clock + CLOCK_BAD_STEP] != 0u;
    var layer = 0u;
    while layer + 1u < LAYERS && index >= params.layer_table[2u * layer + 2u].z {
        layer++;
    }
    let shape = params.layer_table[2u * layer];
    let place = params.layer_table[2u * layer + 1u]; // of deltas, W, b
    let tiles = (shape.x + EDGE - 1u) / EDGE;
    let tile = index - shape.z;
    let row = lane / EDGE;
    let column = lane % EDGE;
    let output0 = (tile / tiles) * EDGE;
    let input0 = (tile % tiles) * EDGE;
    var sum = 0.0;
    var bias = 0.0;
    for (var sample0 = 0u; sample0 < params.batch; sample0 += EDGE) {
        let sample = sample0 + row;
        let inside = sample < params.batch && index < params.groups;
        var delta = 0.0;
        var value = 0.0;
        if inside && output0 + column < shape.y {
            delta = workspace[place.x + sample * shape.y + output0 + column];
        }
        if inside && input0 + column < shape.x {
            value = input_at(layer, shape.w, shape.x, sample, input0 + column);
        }
        deltas[row][column] = delta;
        inputs[row][column] = value;
        workgroupBarrier();
        for (var s = 0u; s < EDGE; s++) {
            sum += deltas[s][row] * inputs[s][column];
            bias += deltas[s][row];
        }
        workgroupBarrier();
    }
    let output = output0 + row;
    let input = input0 + column;
    if frozen || index >= params.groups || output >= shape.y {
        return;
    }
    if input < shape.x {
        let i = place.y + output * shape.x + input;
        adam(i, sum + entropies(layer, output, input, false, weights[i]));
    }
    if input == 0u {
        let i = place.z + output;
        adam(i, bias + entropies(layer, output, 0u, true, weights[i]));
    }
}
