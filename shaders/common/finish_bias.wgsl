// What becomes of four finished sums of a layer: act(sum + bias), the activation's codes as in
// src/ops/activation.rs.
@group(0) @binding(4) var<storage, read> bias: array<f32>; // [n]

fn finish4(row: u32, v: u32, sum: vec4<f32>) -> vec4<f32> {
    let last = params.n - 1u;
    let z = sum + vec4<f32>(bias[4u * v], bias[min(4u * v + 1u, last)],
        bias[min(4u * v + 2u, last)], bias[min(4u * v + 3u, last)]);
    if params.activation == 2u {
        return 1.0 / (1.0 + exp(-z));
    }
    // Relu as a selection, not a maximum: a NaN passes, so that the loss can show it.
    return select(z, vec4<f32>(), vec4<bool>(params.activation == 1u) & (z < vec4<f32>()));
}
