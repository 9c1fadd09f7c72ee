// Logits of two soft assignments, one of which is compared with the other, beside `softmax_rows`.
@group(0) @binding(1) var<storage, read> p: array<f32>; // [m, n]
@group(0) @binding(2) var<storage, read> q: array<f32>; // [m, n]

fn logit(first: u32, k: u32, of_p: bool) -> f32 {
    if of_p {
        return p[first + k];
    }
    return q[first + k];
}
