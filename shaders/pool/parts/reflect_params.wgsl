// Parameters of images with their reflection around them. Of a pair the first is vertical. Twin: src/ops/pool/pad_reflect.rs.
struct Params {
    elements: u32, // of what is computed
    channels: u32,
    size: vec2<u32>, // of an image
    padding: u32,
    unused: u32,     // a block ends where its pairs do
}

@group(0) @binding(0) var<uniform> params: Params;
