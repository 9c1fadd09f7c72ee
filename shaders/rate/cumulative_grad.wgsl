//!use index safe_math reduce cumulative_way
// Gradient of a learnt cumulative distribution by the numbers and by its parameters, one workgroup a column.

@group(0) @binding(3) var<storage, read> dy: array<f32>;                 // [rows, columns]
@group(0) @binding(4) var<storage, read_write> dz: array<f32>;           // [rows, columns]
@group(0) @binding(5) var<storage, read_write> d_parameters: array<f32>; // [columns, parameters]

const MOST_PARAMETERS: u32 = 89u; // four layers of four

var<private> gradients: array<f32, MOST_PARAMETERS>;

// Back along the way that a number of this column has just gone: adds to the gradients of the parameters.
fn back(seed: f32, column: u32) -> f32 {
    let own = column * params.parameters;
    var first = params.parameters;
    var d = array<f32, MOST_FILTERS>(seed, 0.0, 0.0, 0.0);
    for (var behind = 0u; behind <= params.hidden; behind++) {
        let layer = params.hidden - behind;
        first -= layer_size(layer);
        let from_width = width(layer);
        let to_width = width(layer + 1u);
        let biases = first + from_width * to_width;
        var before = array<f32, MOST_FILTERS>(0.0, 0.0, 0.0, 0.0);
        for (var o = 0u; o < to_width; o++) {
            if layer < params.hidden {
                let bend = tanh(parameters[own + biases + to_width + o]);
                let value = safe_tanh(sums[layer * MOST_FILTERS + o]);
                gradients[biases + to_width + o] += d[o] * (1.0 - bend) * (1.0 + bend) * value;
                d[o] *= 1.0 + bend * (1.0 - value) * (1.0 + value);
            }
            gradients[biases + o] += d[o];
            for (var i = 0u; i < from_width; i++) {
                let h = parameters[own + first + o * from_width + i];
                gradients[first + o * from_width + i] += d[o] * inputs[layer * MOST_FILTERS + i] / (1.0 + exp(-h));
                before[i] += d[o] * softplus(h);
            }
        }
        d = before;
    }
    return d[0];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let column = group_index(group, groups);
    if column >= params.columns {
        return;
    }
    for (var i = column + lane * params.columns; i < params.n; i += WORKGROUP * params.columns) {
        let logit = cumulative_way(z[i], column);
        dz[i] = back(dy[i], column);
    }
    for (var p = 0u; p < params.parameters; p++) {
        let sum = reduce_sum(lane, gradients[p]);
        if lane == 0u {
            d_parameters[column * params.parameters + p] = sum;
        }
    }
}
