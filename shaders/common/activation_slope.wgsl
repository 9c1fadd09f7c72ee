// Slope of an activation where its value is y; codes as in src/ops/array/activation.rs: 0 identity, 1 relu,
// 2 sigmoid, 3 tanh, 4 leaky relu, 5 softplus, 6 leaky relu with a leak of 0.2. All slopes are functions of the value.
fn activation_slope4(kind: u32, y: vec4<f32>) -> vec4<f32> {
    let one = vec4<f32>(1.0);
    if kind == 1u {
        return select(vec4<f32>(), one, y > vec4<f32>());
    }
    if kind == 2u {
        return y * (one - y);
    }
    if kind == 3u {
        return (one - y) * (one + y);
    }
    if kind == 4u {
        return select(vec4<f32>(0.01), one, y > vec4<f32>());
    }
    if kind == 5u {
        // 1 - exp(-y), a series where the difference would lose its digits.
        let tail = one - y / 4.0 * (one - y / 5.0 * (one - y / 6.0 * (one - y / 7.0 * (one - y / 8.0))));
        return select(one - exp(-y), y * (one - y / 2.0 * (one - y / 3.0 * tail)), abs(y) < 0.5 * one);
    }
    if kind == 6u {
        return select(vec4<f32>(0.2), one, y > vec4<f32>());
    }
    return one;
}

// The same of one value.
fn activation_slope(kind: u32, y: f32) -> f32 {
    return activation_slope4(kind, vec4<f32>(y)).x;
}
