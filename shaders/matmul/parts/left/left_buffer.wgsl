// The left operand of a matrix product in a storage buffer; `left_texels` and `left_texels_scalar` are its twins for
// devices that read textures faster.
@group(0) @binding(1) var<storage, read> left: array<LeftElement>;

fn left_at(i: u32) -> LeftElement {
    return left[i];
}
