// Blocks of a right operand [k, n]: column s holds four neighbours of the row of one k. Zeros past the
// end of k; vectors past the last read the last again.
const RIGHT_ALONG_K: bool = false;

fn right_row(k: u32, v: u32) -> vec4<f32> {
    let vec = min(v, (params.n + 3u) / 4u - 1u);
    return select(vec4<f32>(), right4(right_start(min(k, params.k - 1u)), params.n, vec), k < params.k);
}

fn right_block(v: u32, q: u32) -> mat4x4<f32> {
    return mat4x4<f32>(right_row(4u * q, v), right_row(4u * q + 1u, v), right_row(4u * q + 2u, v), right_row(4u * q + 3u, v));
}
