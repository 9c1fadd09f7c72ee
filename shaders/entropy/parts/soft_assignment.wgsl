// Soft assignments q = softmax(−βX) of the rows of a batch, for the kernels of their entropies.
struct Params {
    m: u32,
    n: u32,
    beta: f32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;     // [m, n]
@group(0) @binding(2) var<storage, read> clock: array<u32>; // [16]

const WORKGROUP: u32 = 64u;

// The logarithm of an element of q, from its row's largest logit and the log of the sum relative to that.
fn log_q(i: u32, largest: f32, log_sum: f32) -> f32 {
    return (-params.beta * x[i] - largest) - log_sum;
}
