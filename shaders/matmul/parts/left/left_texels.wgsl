// The left operand of a matrix product as texels, by vectors. Needs texels.
@group(0) @binding(1) var left: texture_2d<f32>;

fn left_at(i: u32) -> vec4<f32> {
    return textureLoad(left, texel_place(i), 0);
}
