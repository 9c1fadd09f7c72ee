// Parameters of the pools, and which pixels see one another. Of every pair the first is vertical. Images are [N, H, W, C],
// results [N, H', W', C]. Twin: src/ops/pool/windowed.rs.
struct Params {
    elements: u32, // of what is computed
    channels: u32,
    size: vec2<u32>,   // of an image
    output: vec2<u32>, // of the results of one
    taps: vec2<u32>,   // pixels that a window sees
    stride: vec2<u32>,
    padding: vec2<u32>,
    dilation: vec2<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;

const OUTSIDE: u32 = 0xffffffffu;

// Image, row and column of a pixel, given the size of its images.
fn place_of(pixel: u32, size: vec2<u32>) -> vec3<u32> {
    return vec3<u32>(pixel / (size.x * size.y), (pixel / size.y) % size.x, pixel % size.y);
}

// The number of a pixel within its image.
fn number_in(size: vec2<u32>, at: vec2<u32>) -> u32 {
    return at.x * size.y + at.y;
}

// Where the result at `at` looks through a tap. What lies before the image wraps around to numbers beyond all images.
fn seen_at(at: vec2<u32>, tap: vec2<u32>) -> vec2<u32> {
    return at * params.stride + tap * params.dilation - params.padding;
}

// The first and the last result whose window reaches over the pixel at `at`; no result where the first is behind the last.
fn first_seeing(at: vec2<u32>) -> vec2<u32> {
    let end = at + params.padding;
    let reach = params.dilation * (params.taps - vec2<u32>(1u));
    let first = (end - reach + params.stride - vec2<u32>(1u)) / params.stride;
    return select(first, vec2<u32>(0u), end <= reach);
}

fn last_seeing(at: vec2<u32>) -> vec2<u32> {
    return min(params.output - vec2<u32>(1u), (at + params.padding) / params.stride);
}
