//!use reduce safe_math order renyi
// Rényi entropy of non-negative weights and its gradient, by one workgroup.

struct Params {
    n: u32,
    infinite: u32, // 1: the order is infinite
    alpha: f32,
    t: f32,        // 1 − alpha
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;              // [n]
@group(0) @binding(2) var<storage, read> seed: array<f32>;           // scalar dH
@group(0) @binding(3) var<storage, read_write> entropy: array<f32>;  // scalar H
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>; // [n]

const WORKGROUP: u32 = 64u;

fn weight_of(i: u32) -> f32 {
    return a[i];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
    let order = Order(params.alpha, params.t, params.infinite);
    let r = renyi(lane, params.n, order);
    if lane == 0u {
        entropy[0] = r.entropy;
    }
    for (var i = lane; i < params.n; i += WORKGROUP) {
        gradient[i] = seed[0] * renyi_slope(r, order, a[i]);
    }
}
