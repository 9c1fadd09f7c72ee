// Value of an activation; codes as in src/ops/array/activation.rs: 0 identity, 1 relu, 2 sigmoid, 3 tanh,
// 4 leaky relu, 5 softplus, 6 leaky relu with a leak of 0.2.
fn activation_value(kind: u32, z: f32) -> f32 {
    if kind == 1u {
        // A selection, not a maximum: a NaN passes, so that the loss can show it.
        return select(z, 0.0, z < 0.0);
    }
    if kind == 2u {
        return 1.0 / (1.0 + exp(-z));
    }
    if kind == 3u {
        return tanh_value(z);
    }
    if kind == 4u {
        return select(z, 0.01 * z, z < 0.0);
    }
    if kind == 5u {
        return softplus_value(z);
    }
    if kind == 6u {
        return select(z, 0.2 * z, z < 0.0);
    }
    return z;
}

// The same of four values.
fn activation_value4(kind: u32, z: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(activation_value(kind, z.x), activation_value(kind, z.y),
        activation_value(kind, z.z), activation_value(kind, z.w));
}

// Not WGSL's own, which overflows on some drivers. Near 0, where the quotient cancels, a polynomial
// (Cephes' `tanhf`).
fn tanh_value(z: f32) -> f32 {
    if abs(z) < 0.625 {
        let q = z * z;
        let tail = -0.0537397155 + q * (0.0206390888 - q * 0.00570498872);
        return z + z * q * (-0.333332819 + q * (0.133314422 + q * tail));
    }
    let e = exp(-2.0 * abs(z));
    return sign(z) * (1.0 - e) / (1.0 + e);
}

// max(z, 0) + log1p(e), e = exp(-|z|): the odd series of log((1 + s) / (1 - s)), s = e / (2 + e) ≤ 1/3.
fn softplus_value(z: f32) -> f32 {
    let e = exp(-abs(z));
    let s = e / (2.0 + e);
    let q = s * s;
    let tail = 1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q * (1.0 / 15.0)));
    return max(z, 0.0) + 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0 + q * tail))));
}
