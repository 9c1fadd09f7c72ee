// What becomes of four finished sums of a layer: act(sum + bias). Header: ACTIVATION, a constant since software Vulkan takes both
// ways of every branch. Beside activation_value.
@group(0) @binding(4) var<storage, read> bias: array<vec4<f32>>; // [n], then whatever fills the last vector

fn columns4(v: u32) -> vec4<f32> {
    return bias[v];
}

fn finish4(row: u32, v: u32, columns: vec4<f32>, sum: vec4<f32>) -> vec4<f32> {
    return activation_value4(ACTIVATION, sum + columns);
}
