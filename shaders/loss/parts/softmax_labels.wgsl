// Logits and the classes that they should name, beside `softmax_rows`.
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [m, n]
@group(0) @binding(2) var<storage, read> labels: array<u32>; // [m]

fn logit(first: u32, k: u32, of_p: bool) -> f32 {
    return logits[first + k];
}
