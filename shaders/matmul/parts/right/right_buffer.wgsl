// The right operand of a matrix product in a storage buffer; `right_texels` and `right_texels_scalar` are its twins for
// devices that read textures faster.
@group(0) @binding(2) var<storage, read> right: array<RightElement>;

fn right_at(i: u32) -> RightElement {
    return right[i];
}
