// Weight and bias gradients of one tile of EDGE × EDGE weights of one of several layers: deltas and inputs pass
// through workgroup memory EDGE samples at a time. Of the kernel it needs `params` with batch, groups (tiles of
// all layers) and layer_table, LAYERS entries of ENTRY vectors that begin with inputs, outputs and first tile; data
// and rows; and where a layer's values come from: delta_at, input_at.
const EDGE: u32 = 16u;
const WORKGROUP: u32 = 256u;
const PADDING: u32 = 0xFFFFFFFFu;

var<workgroup> deltas: array<array<f32, EDGE>, EDGE>; // [sample, output]
var<workgroup> inputs: array<array<f32, EDGE>, EDGE>; // [sample, input]

struct WeightTile {
    index: u32,  // among all tiles
    layer: u32,
    shape: vec4<u32>, // inputs, outputs, first tile of the layer, the kernel's own
    output: u32, // of this invocation
    input: u32,
}

fn weight_tile(index: u32, lane: u32) -> WeightTile {
    var layer = 0u;
    while layer + 1u < LAYERS && index >= params.layer_table[ENTRY * layer + ENTRY].z {
        layer++;
    }
    let shape = params.layer_table[ENTRY * layer];
    let tiles = (shape.x + EDGE - 1u) / EDGE;
    let tile = index - shape.z;
    return WeightTile(index, layer, shape, (tile / tiles) * EDGE + lane / EDGE, (tile % tiles) * EDGE + lane % EDGE);
}

// A pixel of the batch, straight from the data set's bytes.
fn pixel(width: u32, sample: u32, column: u32) -> f32 {
    let row = rows[sample];
    if row == PADDING {
        return 0.0;
    }
    let word = data[row * (width / 4u) + column / 4u];
    return f32((word >> (8u * (column % 4u))) & 255u) / 255.0;
}

// Gradients of this invocation's weight, and of the bias of its output, summed over samples in rising order.
fn weight_sums(tile: WeightTile, source: vec4<u32>, lane: u32) -> vec2<f32> {
    let row = lane / EDGE;
    let column = lane % EDGE;
    let output = tile.output - row + column;
    var sum = 0.0;
    var bias = 0.0;
    for (var sample0 = 0u; sample0 < params.batch; sample0 += EDGE) {
        let sample = sample0 + row;
        let inside = sample < params.batch && tile.index < params.groups;
        var delta = 0.0;
        var value = 0.0;
        if inside && output < tile.shape.y {
            delta = delta_at(source, tile.shape.y, sample, output);
        }
        if inside && tile.input < tile.shape.x {
            value = input_at(source, tile.shape.x, sample, tile.input);
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
    return vec2<f32>(sum, bias);
}
