// The target of `reconstruction_loss` as texels. Needs texels.
@group(0) @binding(2) var target_: texture_2d<f32>;

fn target4(i: u32, words: u32) -> vec4<f32> {
    return textureLoad(target_, texel_place(i), 0);
}
