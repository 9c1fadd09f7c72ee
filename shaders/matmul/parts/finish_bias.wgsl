// What becomes of four finished sums of a layer: act(sum + bias). Beside activation_value.
@group(0) @binding(4) var<storage, read> bias: array<f32>; // [n]

fn finish4(row: u32, v: u32, sum: vec4<f32>) -> vec4<f32> {
    let last = params.n - 1u;
    let z = sum + vec4<f32>(bias[4u * v], bias[min(4u * v + 1u, last)],
        bias[min(4u * v + 2u, last)], bias[min(4u * v + 3u, last)]);
    return activation_value4(params.activation, z);
}
