// One tile of samples through a network, forward and back, in workgroup memory: for `network_pass`.
//
// `neurons` holds a vector of the tile's samples for each neuron. Narrow layers leave invocations
// without a neuron, so `parts` of them share one sum.
var<workgroup> neurons: array<Samples, FLOATS>;
var<workgroup> partial: array<Samples, WORKGROUP>;
var<workgroup> tile_rows: array<u32, TILE>;

struct Layer {
    inputs: u32,
    outputs: u32,
    activation: u32,
    weight: u32,   // places in `weights`
    bias: u32,
    values: u32,   // places in `workspace`: of the activations and of their deltas
    deltas: u32,
    below: u32,    // places in `neurons`: of the inputs and of the outputs
    above: u32,
}

fn layer_at(i: u32) -> Layer {
    let a = params.layer_table[3u * i];
    let b = params.layer_table[3u * i + 1u];
    let c = params.layer_table[3u * i + 2u];
    return Layer(a.x, a.y, a.z, b.x, b.y, b.z, b.w, c.x, c.y);
}

fn keep(place: u32, width: u32, first: u32, j: u32, value: Samples) {
    for (var s = 0u; s < TILE; s++) {
        if first + s < params.batch {
            workspace[place + (first + s) * width + j] = value[s];
        }
    }
}

// Pixels into the first neurons, zeros for padding.
fn gather(lane: u32, first: u32) {
    if lane < TILE {
        tile_rows[lane] = PADDING;
        if first + lane < params.batch {
            let row = batch_row(first + lane);
            rows[first + lane] = row;
            tile_rows[lane] = row;
        }
    }
    workgroupBarrier();
    let words = params.features / 4u;
    for (var word = lane; word < words; word += WORKGROUP) {
        var pixels: array<Samples, 4>;
        for (var s = 0u; s < TILE; s++) {
            if tile_rows[s] != PADDING {
                let four = unpack4x8unorm(data[tile_rows[s] * words + word]);
                for (var c = 0u; c < 4u; c++) {
                    pixels[c][s] = four[c];
                }
            }
        }
        for (var c = 0u; c < 4u; c++) {
            neurons[4u * word + c] = pixels[c];
        }
    }
    workgroupBarrier();
}
