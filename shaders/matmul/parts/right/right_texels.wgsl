// The right operand of a matrix product as texels, by vectors. Needs texels.
@group(0) @binding(2) var right: texture_2d<f32>;

fn right_at(i: u32) -> vec4<f32> {
    return textureLoad(right, texel_place(i), 0);
}
