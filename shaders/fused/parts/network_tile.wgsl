// One tile of samples in workgroup memory: a vector of the tile's samples for each neuron. Needs Samples,
// TILE, WORKGROUP, FLOATS, `params` and `workspace` of the kernel.
var<workgroup> neurons: array<Samples, FLOATS>;
var<workgroup> partial: array<Samples, WORKGROUP>;

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
