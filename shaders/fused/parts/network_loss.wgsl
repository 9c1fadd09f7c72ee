// The end of a network's forward pass, for `network_pass`. Needs network_layers.

// The loss of the tile's predictions, whose deltas take the place of the target.
fn loss_and_deltas(lane: u32, sample: u32, last: Layer) {
    let valid = clock_word(CLOCK_VALID_ROWS);
    let scale = 1.0 / f32(max(select(valid, valid * params.features, params.loss == 0u), 1u));
    let slope = 2.0 * scale * bitcast<f32>(state[params.seed]);
    var losses = Samples();
    let step = WORKGROUP / (WORKGROUP / min(last.outputs, WORKGROUP));
    for (var first = 0u; first < last.outputs; first += step) {
        let width = min(step, last.outputs - first);
        let parts = WORKGROUP / min(last.outputs, WORKGROUP);
        let sum = forward(lane, last, first, width);
        if lane % parts == 0u && lane / parts < width {
            let j = first + lane / parts;
            var delta = Samples();
            for (var s = 0u; s < TILE; s++) {
                if sample + s < valid {
                    let y = activation_value(last.activation, sum[s] + weights[last.bias + j]);
                    let error = y - neurons[j][s];
                    losses[s] += error * error * scale;
                    delta[s] = error * slope * activation_slope(last.activation, y);
                }
            }
            neurons[j] = delta;
            keep(last.deltas, last.outputs, sample, j, delta);
        }
    }
    for (var s = 0u; s < TILE; s++) {
        let loss = reduce_sum(lane, losses[s]);
        if lane == 0u && sample + s < params.batch {
            workspace[params.losses + sample + s] = loss;
        }
    }
    workgroupBarrier();
}
