// log Σ exp of a line of logits, relative to its largest: (largest, log of the sum). Apart, since next to logits of
// 1e4 the log of the sum would drown. The kernel has logit(line, k, of_p), with of_p as it was handed in.
fn log_total(line: u32, n: u32, of_p: bool) -> vec2<f32> {
    var largest = logit(line, 0u, of_p);
    for (var k = 1u; k < n; k++) {
        largest = max(largest, logit(line, k, of_p));
    }
    var sum = 0.0;
    for (var k = 0u; k < n; k++) {
        sum += exp(logit(line, k, of_p) - largest);
    }
    return vec2<f32>(largest, log(sum));
}
