// expm1(x) - x, a series where the difference would lose its digits.
fn expm1_rest(x: f32) -> f32 {
    if abs(x) > 0.5 {
        return exp(x) - 1.0 - x;
    }
    let series = 1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0 * (1.0 + x / 7.0 * (1.0 + x / 8.0)))));
    return 0.5 * x * x * series;
}
