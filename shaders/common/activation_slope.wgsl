// Slope of an activation where its value is y; codes as in src/ops/activation.rs:
// 0 identity, 1 relu, 2 sigmoid. All three slopes are functions of the value.
fn activation_slope(kind: u32, y: f32) -> f32 {
    if kind == 1u {
        return select(0.0, 1.0, y > 0.0);
    }
    if kind == 2u {
        return y * (1.0 - y);
    }
    return 1.0;
}

// The same of four values.
fn activation_slope4(kind: u32, y: vec4<f32>) -> vec4<f32> {
    if kind == 1u {
        return select(vec4<f32>(0.0), vec4<f32>(1.0), y > vec4<f32>(0.0));
    }
    if kind == 2u {
        return y * (1.0 - y);
    }
    return vec4<f32>(1.0);
}
