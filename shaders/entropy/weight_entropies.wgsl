//!use reduce safe_math order renyi activeness_term
// All entropies of a model's weights and their gradients, by one workgroup, term after term: activeness
// of the neurons into workgroup memory, its Rényi entropy, and the gradient added to what the layers'
// kernels have left. One dispatch instead of four a term. Terms may share tensors, so each ends with
// a barrier on storage.
//
// Header: WORKGROUP (a power of two), NEURONS (most of a layer), TERMS (most of a model).

struct Params {
    terms: u32,
    terms_table: array<vec4<u32>, 4u * TERMS>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>;         // span of the parameters
@group(0) @binding(2) var<storage, read> seeds: array<f32>;           // span of the gradients of the values
@group(0) @binding(3) var<storage, read_write> gradients: array<f32>; // span of the parameters' gradients
@group(0) @binding(4) var<storage, read_write> values: array<f32>;    // span of the entropies' sums

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
    for (var term = 0u; term < params.terms; term++) {
        let place = params.terms_table[4u * term];       // of W, b, dW, db
        let shape = params.terms_table[4u * term + 1u]; // neurons, weights of each, strides of both
        let numbers = bitcast<vec4<f32>>(params.terms_table[4u * term + 2u]); // bias weight, alpha, t
        let flags = params.terms_table[4u * term + 3u];  // infinite, seed, value, whether to add to it
        let order = Order(numbers.y, numbers.z, flags.x);
        activeness_of(lane, place, shape, numbers.x);
        let r = renyi(lane, shape.x, order);
        if lane == 0u {
            var before = 0.0;
            if flags.w == 1u {
                before = values[flags.z];
            }
            values[flags.z] = before + r.entropy;
        }
        // From here on the workgroup's array holds the slopes.
        workgroupBarrier();
        for (var i = lane; i < shape.x; i += WORKGROUP) {
            let slope = seeds[flags.y] * renyi_slope(r, order, activeness[i]);
            activeness[i] = slope;
            gradients[place.w + i] += numbers.x * sign(weights[place.y + i]) * slope;
        }
        workgroupBarrier();
        for (var e = lane; e < shape.x * shape.y; e += WORKGROUP) {
            // Rows of W are neurons where their weights are neighbours, columns are otherwise.
            let neuron = select(e % shape.x, e / shape.y, shape.w == 1u && shape.z != 1u);
            gradients[place.z + e] += sign(weights[place.x + e]) * activeness[neuron];
        }
        storageBarrier();
        workgroupBarrier();
    }
}
