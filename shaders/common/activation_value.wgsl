// Value of an activation; codes as in src/ops/activation.rs: 0 identity, 1 relu, 2 sigmoid.
fn activation_value(kind: u32, z: f32) -> f32 {
    if kind == 1u {
        // A selection, not a maximum: a NaN passes, so that the loss can show it.
        return select(z, 0.0, z < 0.0);
    }
    if kind == 2u {
        return 1.0 / (1.0 + exp(-z));
    }
    return z;
}
