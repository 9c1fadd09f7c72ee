// Where a buffer's vector of this number lies in the texture that mirrors the buffer: as in a page of rows of TEXEL_ROW vectors,
// which the host declares.
fn texel_place(i: u32) -> vec2<u32> {
    return vec2<u32>(i % TEXEL_ROW, i / TEXEL_ROW);
}
