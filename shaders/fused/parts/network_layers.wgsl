// The layers of a network over one tile of samples. Narrow layers leave invocations without a neuron, so
// `parts` of them share one sum. Needs network_tile.

// Σ over k of weights[origin + k · stride] · neurons[values + k], shared by `parts` invocations that lie
// `apart` from each other; the first of them gets the sum.
fn shared_sum(lane: u32, part: u32, parts: u32, apart: u32, origin: u32, stride: u32, values: u32, count: u32) -> Samples {
    var sum = Samples();
    if part < parts {
        for (var k = part; k < count; k += parts) {
            sum += weights[origin + k * stride] * neurons[values + k];
        }
    }
    if parts > 1u {
        partial[lane] = sum;
        workgroupBarrier();
        if part == 0u {
            for (var other = 1u; other < parts; other++) {
                sum += partial[lane + other * apart];
            }
        }
        workgroupBarrier();
    }
    return sum;
}

// Outputs of a layer before its activation, for the neuron of this invocation: neighbours take parts
// of one sum, so that they read neighbouring weights.
fn forward(lane: u32, layer: Layer, first: u32, width: u32) -> Samples {
    let parts = WORKGROUP / min(layer.outputs, WORKGROUP);
    let j = first + min(lane / parts, width - 1u);
    let part = select(lane % parts, parts, lane / parts >= width);
    return shared_sum(lane, part, parts, 1u, layer.weight + j * layer.inputs, 1u, layer.below, layer.inputs);
}

// Deltas of a layer's inputs from those of its outputs, before the slope: neighbours take neighbouring
// inputs, whose weights are neighbours in every row.
fn backward(lane: u32, layer: Layer, first: u32, width: u32) -> Samples {
    let parts = WORKGROUP / min(layer.inputs, WORKGROUP);
    let k = first + lane % width;
    return shared_sum(lane, lane / width, parts, width, layer.weight + k, layer.inputs, layer.above, layer.outputs);
}

fn forward_layer(lane: u32, sample: u32, layer: Layer) {
    let parts = WORKGROUP / min(layer.outputs, WORKGROUP);
    let step = WORKGROUP / parts;
    for (var first = 0u; first < layer.outputs; first += step) {
        let width = min(step, layer.outputs - first);
        let sum = forward(lane, layer, first, width);
        if lane % parts == 0u && lane / parts < width {
            let j = first + lane / parts;
            var value = sum + weights[layer.bias + j];
            for (var s = 0u; s < TILE; s++) {
                value[s] = activation_value(layer.activation, value[s]);
            }
            neurons[layer.above + j] = value;
            keep(layer.values, layer.outputs, sample, j, value);
        }
    }
    workgroupBarrier();
}

// Deltas of `layer`'s inputs, which are the outputs of `below`.
fn backward_layer(lane: u32, sample: u32, layer: Layer, below: Layer) {
    let step = WORKGROUP / (WORKGROUP / min(layer.inputs, WORKGROUP));
    for (var first = 0u; first < layer.inputs; first += step) {
        let width = min(step, layer.inputs - first);
        var delta = backward(lane, layer, first, width);
        if lane < width {
            let k = first + lane;
            for (var s = 0u; s < TILE; s++) {
                delta[s] *= activation_slope(below.activation, neurons[layer.below + k][s]);
            }
            neurons[layer.below + k] = delta;
            keep(below.deltas, below.outputs, sample, k, delta);
        }
    }
    workgroupBarrier();
}
