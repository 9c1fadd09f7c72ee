// The way of a number through the small rising layers of its column; beside `safe_math`. What a layer is made of:
// src/ops/rate/cumulative.rs.
const MOST_FILTERS: u32 = 4u;
const MOST_VALUES: u32 = 20u; // in front of up to five layers

struct Params {
    n: u32,          // numbers
    columns: u32,
    filters: u32,    // width of the layers inside
    hidden: u32,     // how many there are
    parameters: u32, // of a column
    shift: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> z: array<f32>;          // [rows, columns]
@group(0) @binding(2) var<storage, read> parameters: array<f32>; // [columns, parameters]

const WORKGROUP: u32 = 64u;

var<private> inputs: array<f32, MOST_VALUES>; // in front of each layer
var<private> sums: array<f32, MOST_VALUES>;   // behind its matrix and biases

fn softplus(x: f32) -> f32 {
    return max(x, 0.0) + log1p(exp(-abs(x)));
}

// Width in front of a layer, or behind the one before it.
fn width(layer: u32) -> u32 {
    return select(params.filters, 1u, layer == 0u || layer > params.hidden);
}

// Parameters of a layer.
fn layer_size(layer: u32) -> u32 {
    return width(layer) * width(layer + 1u) + width(layer + 1u) * select(1u, 2u, layer < params.hidden);
}

// The logit of a number of this column.
fn cumulative_way(number: f32, column: u32) -> f32 {
    var first = column * params.parameters;
    var logit = 0.0;
    inputs[0] = number + params.shift;
    for (var layer = 0u; layer <= params.hidden; layer++) {
        let from_width = width(layer);
        let to_width = width(layer + 1u);
        for (var o = 0u; o < to_width; o++) {
            var sum = parameters[first + from_width * to_width + o];
            for (var i = 0u; i < from_width; i++) {
                sum += softplus(parameters[first + o * from_width + i]) * inputs[layer * MOST_FILTERS + i];
            }
            sums[layer * MOST_FILTERS + o] = sum;
            if layer < params.hidden {
                let bend = tanh(parameters[first + from_width * to_width + to_width + o]);
                inputs[(layer + 1u) * MOST_FILTERS + o] = sum + bend * safe_tanh(sum);
            } else {
                logit = sum;
            }
        }
        first += layer_size(layer);
    }
    return logit;
}

// Some drivers make tanh of large numbers of e^2x over e^2x.
fn safe_tanh(x: f32) -> f32 {
    return tanh(clamp(x, -20.0, 20.0));
}
