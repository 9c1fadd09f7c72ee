// What becomes of four finished sums of a gradient that goes back through an activation: they are
// multiplied by its slope, a function of the value h it had. Header: ACTIVATION. Beside
// activation_slope and a mask.
@group(0) @binding(4) var<storage, read> h: array<Element>; // [m, n]

fn columns4(v: u32) -> vec4<f32> {
    return vec4<f32>();
}

fn finish4(row: u32, v: u32, columns: vec4<f32>, sum: vec4<f32>) -> vec4<f32> {
    return sum * activation_slope4(ACTIVATION, h4(row, params.n, v));
}
