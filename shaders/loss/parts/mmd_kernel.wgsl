// Kernels of two points at squared distance d, and their derivatives by d; the host's side is src/ops/loss/mmd.rs.
const MMD_IMQ: u32 = 0u;
const MMD_RBF: u32 = 1u;
const MMD_SCALES: array<f32, 7> = array<f32, 7>(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0);

fn mmd_value(kind: u32, scale: f32, d: f32) -> f32 {
    if kind == MMD_IMQ {
        return scale / (scale + d);
    }
    if kind == MMD_RBF {
        return exp(-d / scale);
    }
    var scales = MMD_SCALES;
    var sum = 0.0;
    for (var s = 0u; s < 7u; s++) {
        let c = scale * scales[s];
        sum += c / (c + d);
    }
    return sum;
}

fn mmd_slope(kind: u32, scale: f32, d: f32) -> f32 {
    if kind == MMD_IMQ {
        return -scale / ((scale + d) * (scale + d));
    }
    if kind == MMD_RBF {
        return -exp(-d / scale) / scale;
    }
    var scales = MMD_SCALES;
    var sum = 0.0;
    for (var s = 0u; s < 7u; s++) {
        let c = scale * scales[s];
        sum -= c / ((c + d) * (c + d));
    }
    return sum;
}
