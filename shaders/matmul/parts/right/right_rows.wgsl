// Blocks of a right operand [n, k]: four of its rows by four k, turned so that column s holds four
// columns of the product at one k. Zeros past the end of k; rows past the last read the last again.
const RIGHT_ALONG_K: bool = true;

fn right_block(v: u32, q: u32) -> mat4x4<f32> {
    if 4u * q >= params.k {
        return mat4x4<f32>();
    }
    let last = params.n - 1u;
    return transpose(mat4x4<f32>(
        right4(min(4u * v, last), params.k, q), right4(min(4u * v + 1u, last), params.k, q),
        right4(min(4u * v + 2u, last), params.k, q), right4(min(4u * v + 3u, last), params.k, q)));
}
