// Rényi entropy of the non-negative weights weight_of(0) … weight_of(n − 1), which the kernel provides, by
// one workgroup; formulas and the choice of forms in src/ops/entropy/renyi_entropy.rs. Needs reduce,
// safe_math and order. Every pass is strided over the workgroup and reduced in a fixed order.
struct Renyi {
    entropy: f32,
    total: f32,   // 1 where there is no weight at all
    largest: f32, // likewise
    count: f32,   // weights equal to the largest
    weighted: bool,
}

// Mean of −log p around which the tilted mean is taken: Shannon's entropy.
fn shannon(lane: u32, n: u32, total: f32) -> f32 {
    var sum = 0.0;
    for (var i = lane; i < n; i += WORKGROUP) {
        let weight = weight_of(i);
        if weight > 0.0 {
            let p = weight / total;
            sum -= p * log(p);
        }
    }
    return reduce_sum(lane, sum);
}

// M_t[−log p; p] = (1/t) log Σ p^(1 − t).
fn tilted_mean(lane: u32, n: u32, order: Order, total: f32, largest: f32) -> f32 {
    let mean = shannon(lane, n, total);
    if order.t == 0.0 {
        return mean;
    }
    var spread = 0.0;
    for (var i = lane; i < n; i += WORKGROUP) {
        let weight = weight_of(i);
        if weight > 0.0 {
            spread = max(spread, abs(order.t * (-log(weight / total) - mean)));
        }
    }
    let near = reduce_max(lane, spread) <= 0.5;
    // Both forms are taken to keep the barriers in uniform control flow.
    let shift = order.alpha * log(largest / total);
    var tilt = 0.0;
    var power = 0.0;
    for (var i = lane; i < n; i += WORKGROUP) {
        let weight = weight_of(i);
        if weight > 0.0 {
            let log_p = log(weight / total);
            if near {
                tilt += (weight / total) * expm1(order.t * (-log_p - mean));
            } else {
                power += exp(order.alpha * log_p - shift);
            }
        }
    }
    let tilt_sum = reduce_sum(lane, tilt);
    let power_sum = reduce_sum(lane, power);
    if near {
        return mean + log1p(tilt_sum) / order.t;
    }
    return (shift + log(power_sum)) / order.t;
}

fn renyi(lane: u32, n: u32, order: Order) -> Renyi {
    var sum = 0.0;
    var most = 0.0;
    for (var i = lane; i < n; i += WORKGROUP) {
        sum += weight_of(i);
        most = max(most, weight_of(i));
    }
    let total = reduce_sum(lane, sum);
    let largest = reduce_max(lane, most);
    var ties = 0.0;
    for (var i = lane; i < n; i += WORKGROUP) {
        ties += select(0.0, 1.0, weight_of(i) == largest);
    }
    var r = Renyi(0.0, total, largest, reduce_sum(lane, ties), total > 0.0);
    // Without any weight the distribution is uniform by convention, and flat.
    if !r.weighted {
        r.total = 1.0;
        r.largest = 1.0;
    }
    let tilted = tilted_mean(lane, n, order, r.total, r.largest);
    r.entropy = select(tilted, -log(r.largest / r.total), order.infinite == 1u);
    r.entropy = select(log(f32(n)), r.entropy, r.weighted);
    return r;
}

// dH of one weight.
fn renyi_slope(r: Renyi, order: Order, weight: f32) -> f32 {
    if weight <= 0.0 || !r.weighted {
        return 0.0;
    }
    if order.infinite == 1u {
        return 1.0 / r.total - select(0.0, 1.0 / (r.count * r.largest), weight == r.largest);
    }
    let y = log(weight / r.total) + r.entropy;
    return -(order.alpha / r.total) * y * expm1_over_x(-order.t * y);
}
