// The left operand of a matrix product as texels, by elements. Needs texels.
@group(0) @binding(1) var left: texture_2d<f32>;

fn left_at(i: u32) -> f32 {
    return textureLoad(left, texel_place(i / 4u), 0)[i % 4u];
}
