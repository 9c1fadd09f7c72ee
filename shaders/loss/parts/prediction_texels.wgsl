// The prediction of `reconstruction_loss` as texels. Needs texels.
@group(0) @binding(1) var prediction: texture_2d<f32>;

fn prediction_at(i: u32) -> vec4<f32> {
    return textureLoad(prediction, texel_place(i), 0);
}
