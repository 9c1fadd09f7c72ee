// Parameters of images made larger, and what a pixel of the result takes of which pixels of the image. Of every pair the
// first is vertical. Twin: src/ops/pool/upsample.rs.
struct Params {
    elements: u32, // of what is computed
    channels: u32,
    size: vec2<u32>, // of an image
    factor: u32,
    bilinear: u32,   // whether both neighbours count, else the nearest
}

@group(0) @binding(0) var<uniform> params: Params;

// Along one axis of `size` pixels: the two that a result is made of.
struct Source {
    first: u32,
    second: u32,
    share: f32, // of the second
}

fn source_of(at: u32, size: u32) -> Source {
    if params.bilinear == 0u {
        let nearest = at / params.factor;
        return Source(nearest, nearest, 0.0);
    }
    // In units of half a pixel of the result.
    let middle = 2u * at + 1u;
    let source = select(middle - params.factor, 0u, middle < params.factor);
    let first = source / (2u * params.factor);
    let share = f32(source % (2u * params.factor)) / f32(2u * params.factor);
    return Source(first, min(first + 1u, size - 1u), share);
}

// What a result takes of a pixel.
fn share_of(pixel: u32, at: u32, size: u32) -> f32 {
    let source = source_of(at, size);
    return select(0.0, 1.0 - source.share, source.first == pixel) + select(0.0, source.share, source.second == pixel);
}
