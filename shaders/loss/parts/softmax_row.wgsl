// log Σ exp of a row of logits, relative to its largest: (largest, log of the sum). The kernel has logit(i).
fn row_total(first: u32, n: u32, of_p: bool) -> vec2<f32> {
    var largest = logit(first, of_p);
    for (var k = 1u; k < n; k++) {
        largest = max(largest, logit(first + k, of_p));
    }
    var sum = 0.0;
    for (var k = 0u; k < n; k++) {
        sum += exp(logit(first + k, of_p) - largest);
    }
    return vec2<f32>(largest, log(sum));
}
