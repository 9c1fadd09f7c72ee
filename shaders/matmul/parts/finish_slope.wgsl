// What becomes of four finished sums of a gradient that goes back through an activation: they are
// multiplied by its slope, a function of the value h it had. Beside activation_slope and a mask.
@group(0) @binding(4) var<storage, read> h: array<Element>; // [m, n]

fn finish4(row: u32, v: u32, sum: vec4<f32>) -> vec4<f32> {
    return sum * activation_slope4(params.activation, h4(row, params.n, v));
}
