// A node from those before it: its weight, relative to their sum, and its entropy M_t[h − log p; p]. The
// kernel has term_edge(i, t), term_weight(t) and term_entropy(t), the last two of node t before it.
// Needs lanes, order and safe_math. Both forms of the tilted mean are taken, to keep barriers uniform.
struct PathNode {
    weight: f32,
    entropy: f32,
}

fn path_step(lane: u32, i: u32, terms: u32, order: Order) -> PathNode {
    var all = 0.0;
    var reached = 0.0;
    var surprise = 0.0;
    var least = -LOWEST;
    for (var t = lane % LANES; t < terms; t += LANES) {
        let weight = term_weight(t);
        let part = term_edge(i, t) * weight;
        all += weight;
        if part > 0.0 {
            let y = term_entropy(t) - log(part);
            reached += part;
            surprise += part * y;
            least = min(least, y);
        }
    }
    let sum = sum_lanes(lane, all);
    let total = sum_lanes(lane, reached);
    let surprise_sum = sum_lanes(lane, surprise);
    let is_reached = total > 0.0;
    let log_total = log(select(1.0, total, is_reached));
    let mean = surprise_sum / select(1.0, total, is_reached) + log_total;
    var entropy = mean;
    if order.infinite == 1u {
        entropy = log_total - max_lanes(lane, -least);
    } else if order.t != 0.0 {
        entropy = tilted(lane, i, terms, order, log_total, mean);
    }
    let whole = select(1.0, sum, sum > 0.0);
    return PathNode(select(0.0, total / whole, is_reached), select(0.0, entropy, is_reached));
}

fn tilted(lane: u32, i: u32, terms: u32, order: Order, log_total: f32, mean: f32) -> f32 {
    var spread = 0.0;
    var most = LOWEST;
    var tilt = 0.0;
    for (var t = lane % LANES; t < terms; t += LANES) {
        let part = term_edge(i, t) * term_weight(t);
        if part > 0.0 {
            let log_p = log(part) - log_total;
            let x = order.t * (term_entropy(t) - log_p - mean);
            spread = max(spread, abs(x));
            most = max(most, order.alpha * log_p + order.t * term_entropy(t));
            // Where it is larger, the other form is used.
            tilt += exp(log_p) * expm1(clamp(x, -0.5, 0.5));
        }
    }
    let near = max_lanes(lane, spread) <= 0.5;
    let tilt_sum = sum_lanes(lane, tilt);
    let shift = max_lanes(lane, most);
    var power = 0.0;
    for (var t = lane % LANES; t < terms; t += LANES) {
        let part = term_edge(i, t) * term_weight(t);
        if part > 0.0 {
            power += exp(order.alpha * (log(part) - log_total) + order.t * term_entropy(t) - shift);
        }
    }
    let power_sum = sum_lanes(lane, power);
    let far = (shift + log(power_sum)) / order.t;
    return select(far, mean + log1p(tilt_sum) / order.t, near);
}
