//!use reduce safe_math
// Rényi entropy of non-negative weights and its gradient, by one workgroup; formulas and the choice of
// forms in src/ops/renyi_entropy.rs.
//
// Every pass over a is strided over the workgroup and reduced in a fixed order.

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

// Mean of −log p around which the tilted mean is taken: Shannon's entropy.
fn shannon(lane: u32, total: f32) -> f32 {
    var sum = 0.0;
    for (var i = lane; i < params.n; i += WORKGROUP) {
        if a[i] > 0.0 {
            let p = a[i] / total;
            sum -= p * log(p);
        }
    }
    return reduce_sum(lane, sum);
}

// M_t[−log p; p] = (1/t) log Σ p^(1 − t).
fn tilted_mean(lane: u32, total: f32, largest: f32) -> f32 {
    let mean = shannon(lane, total);
    if params.t == 0.0 {
        return mean;
    }
    var spread = 0.0;
    for (var i = lane; i < params.n; i += WORKGROUP) {
        if a[i] > 0.0 {
            spread = max(spread, abs(params.t * (-log(a[i] / total) - mean)));
        }
    }
    let near = reduce_max(lane, spread) <= 0.5;
    // Both forms are taken to keep the barriers in uniform control flow.
    let shift = params.alpha * log(largest / total);
    var tilt = 0.0;
    var power = 0.0;
    for (var i = lane; i < params.n; i += WORKGROUP) {
        if a[i] > 0.0 {
            let log_p = log(a[i] / total);
            if near {
                tilt += (a[i] / total) * expm1(params.t * (-log_p - mean));
            } else {
                power += exp(params.alpha * log_p - shift);
            }
        }
    }
    let tilt_sum = reduce_sum(lane, tilt);
    let power_sum = reduce_sum(lane, power);
    if near {
        return mean + log1p(tilt_sum) / params.t;
    }
    return (shift + log(power_sum)) / params.t;
}

// `count` weights are equal to the largest.
fn slope(weight: f32, h: f32, total: f32, largest: f32, count: f32) -> f32 {
    if weight <= 0.0 {
        return 0.0;
    }
    if params.infinite == 1u {
        return 1.0 / total - select(0.0, 1.0 / (count * largest), weight == largest);
    }
    let y = log(weight / total) + h;
    return -(params.alpha / total) * y * expm1_over_x(-params.t * y);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    var most = 0.0;
    for (var i = lane; i < params.n; i += WORKGROUP) {
        sum += a[i];
        most = max(most, a[i]);
    }
    let total = reduce_sum(lane, sum);
    let largest = reduce_max(lane, most);
    var ties = 0.0;
    for (var i = lane; i < params.n; i += WORKGROUP) {
        ties += select(0.0, 1.0, a[i] == largest);
    }
    let count = reduce_sum(lane, ties);
    // Without any weight the distribution is uniform by convention, and flat.
    let weighted = total > 0.0;
    let safe_total = select(1.0, total, weighted);
    let safe_largest = select(1.0, largest, weighted);

    let tilted = tilted_mean(lane, safe_total, safe_largest);
    var h = select(tilted, -log(safe_largest / safe_total), params.infinite == 1u);
    h = select(log(f32(params.n)), h, weighted);
    if lane == 0u {
        entropy[0] = h;
    }
    for (var i = lane; i < params.n; i += WORKGROUP) {
        var g = 0.0;
        if weighted {
            g = seed[0] * slope(a[i], h, safe_total, safe_largest, count);
        }
        gradient[i] = g;
    }
}
