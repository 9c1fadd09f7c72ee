// The right operand of a matrix product as texels, by elements. Needs texels.
@group(0) @binding(2) var right: texture_2d<f32>;

fn right_at(i: u32) -> f32 {
    return textureLoad(right, texel_place(i / 4u), 0)[i % 4u];
}
