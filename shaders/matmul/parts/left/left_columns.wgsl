// Blocks of a left operand [k, m]: column s holds four neighbours of the row of one k. Zeros past the
// end of k; vectors past the last read the last again.
const LEFT_ALONG_K: bool = false;

fn left_row(k: u32, v: u32) -> vec4<f32> {
    let vec = min(v, (params.m + 3u) / 4u - 1u);
    return select(vec4<f32>(), left4(min(k, params.k - 1u), params.m, vec), k < params.k);
}

fn left_block(v: u32, q: u32) -> mat4x4<f32> {
    return mat4x4<f32>(left_row(4u * q, v), left_row(4u * q + 1u, v), left_row(4u * q + 2u, v), left_row(4u * q + 3u, v));
}
