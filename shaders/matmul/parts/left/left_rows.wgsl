// Blocks of a left operand [m, k]: four rows by four k, turned so that column s holds four rows at
// one k. Zeros past the end of k; rows past the last read the last again.
const LEFT_ALONG_K: bool = true;

fn left_block(v: u32, q: u32) -> mat4x4<f32> {
    if 4u * q >= params.k {
        return mat4x4<f32>();
    }
    let last = params.m - 1u;
    return transpose(mat4x4<f32>(
        left4(left_start(min(4u * v, last)), params.k, q), left4(left_start(min(4u * v + 1u, last)), params.k, q),
        left4(left_start(min(4u * v + 2u, last)), params.k, q), left4(left_start(min(4u * v + 3u, last)), params.k, q)));
}
