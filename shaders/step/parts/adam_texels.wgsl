// What a step of Adam reads, as texels, as it was before the dispatch. Needs texels.
@group(0) @binding(3) var gradient_before: texture_2d<f32>;
@group(0) @binding(7) var weight_before: texture_2d<f32>;
@group(0) @binding(8) var moment1_before: texture_2d<f32>;
@group(0) @binding(9) var moment2_before: texture_2d<f32>;

fn gradient_at(i: u32) -> vec4<f32> {
    return textureLoad(gradient_before, texel_place(i), 0);
}

fn weight_at(i: u32) -> vec4<f32> {
    return textureLoad(weight_before, texel_place(i), 0);
}

fn moment1_at(i: u32) -> vec4<f32> {
    return textureLoad(moment1_before, texel_place(i), 0);
}

fn moment2_at(i: u32) -> vec4<f32> {
    return textureLoad(moment2_before, texel_place(i), 0);
}
