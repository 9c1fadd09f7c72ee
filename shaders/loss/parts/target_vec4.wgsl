// The target of `reconstruction_loss` as floats.
@group(0) @binding(2) var<storage, read> target_: array<vec4<f32>>; // [vectors]

fn target4(i: u32, words: u32) -> vec4<f32> {
    return target_[i];
}
