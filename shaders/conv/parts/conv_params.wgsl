// Parameters of the direct convolutions, and which pixels see one another. Images are [N, H, W, C], weights
// [O, K, L, C / groups], results [N, H', W', O]. Twin: src/ops/conv/mod.rs.
struct Params {
    elements: u32, // of the result
    images: u32,
    inputs: u32,   // channels
    outputs: u32,
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_height: u32,
    stride_width: u32,
    padding_height: u32,
    padding_width: u32,
    dilation_height: u32,
    dilation_width: u32,
    groups: u32,
    activation: u32, // as in activation_value
    after: u32,      // what is done with the sums, as each shader says
}

@group(0) @binding(0) var<uniform> params: Params;

const OUTSIDE: u32 = 0xffffffffu;

// The pixel of image `image` that the result at (row, column) sees through tap (a, b), or OUTSIDE. What lies before
// the image wraps around to numbers beyond all images.
fn seen_pixel(image: u32, row: u32, column: u32, a: u32, b: u32) -> u32 {
    let u = row * params.stride_height + a * params.dilation_height - params.padding_height;
    let v = column * params.stride_width + b * params.dilation_width - params.padding_width;
    return select(OUTSIDE, (image * params.height + u) * params.width + v, u < params.height && v < params.width);
}

// The result that sees the pixel at (row, column) through tap (a, b), or OUTSIDE.
fn seeing_result(image: u32, row: u32, column: u32, a: u32, b: u32) -> u32 {
    let u = row + params.padding_height - a * params.dilation_height;
    let v = column + params.padding_width - b * params.dilation_width;
    let i = u / params.stride_height;
    let j = v / params.stride_width;
    let meets = u % params.stride_height == 0u && v % params.stride_width == 0u;
    let at = (image * params.out_height + i) * params.out_width + j;
    return select(OUTSIDE, at, meets && i < params.out_height && j < params.out_width);
}
