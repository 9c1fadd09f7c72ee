// Bits of the bin of a whole number under a Gaussian, and their slopes; the formulas are those of src/ops/rate/gaussian_bin.rs.
const ROOT_2: f32 = 1.4142135;
const ROOT_TAU: f32 = 2.5066283;
const LN_ROOT_TAU: f32 = 0.9189385;
const LN_2: f32 = 0.6931472;
const WIDE: f32 = 4.0;

struct GaussianBin {
    log: f32,     // ln P
    density: f32, // φ((x − ½)/s) / P
}

// e^{x²} erfc x for x >= 0: (1 + 2x) erfcx x is nearly a polynomial in (x − 2)/(x + 2).
fn erfcx(x: f32) -> f32 {
    let t = (x - 2.0) / (x + 2.0);
    var p = 0.00016080358;
    p = p * t - 0.00018365444;
    p = p * t - 0.0013957069;
    p = p * t + 0.0010431446;
    p = p * t + 0.00868916;
    p = p * t - 0.0079427212;
    p = p * t - 0.05421196;
    p = p * t + 0.16403584;
    p = p * t - 0.1660311;
    p = p * t - 0.09276308;
    p = p * t + 1.2769784;
    return p / (1.0 + 2.0 * x);
}

// Σ He₂ₖ(w) hᵏ / ((2k + 1)! 4ᵏ) for h = 1/s².
fn hermite_series(w: f32, h: f32) -> f32 {
    let q = w * w;
    let he4 = (q - 6.0) * q + 3.0;
    let he6 = ((q - 15.0) * q + 45.0) * q - 15.0;
    let he8 = (((q - 28.0) * q + 210.0) * q - 420.0) * q + 105.0;
    return h / 24.0 * (q - 1.0 + h / 80.0 * (he4 + h / 168.0 * (he6 + h / 288.0 * he8)));
}

fn gaussian_bin(x: f32, s: f32) -> GaussianBin {
    let ratio = x / (s * s);
    let u = (x - 0.5) / (s * ROOT_2);
    let v = (x + 0.5) / (s * ROOT_2);
    if s > WIDE && ratio < 0.5 {
        let w = x / s;
        let series = hermite_series(w, 1.0 / (s * s));
        let log_p = -0.5 * w * w - log(s) - LN_ROOT_TAU + log1p(series);
        return GaussianBin(log_p, s * exp(0.5 * (x - 0.25) / (s * s)) / (1.0 + series));
    }
    if u <= 0.0 {
        let near = exp(-u * u);
        let outside = 0.5 * (exp(-v * v) * erfcx(v) + near * erfcx(-u));
        return GaussianBin(log1p(-outside), near / ROOT_TAU / (1.0 - outside));
    }
    let half = 0.5 * (erfcx(u) - exp(-ratio) * erfcx(v));
    return GaussianBin(-u * u + log(half), 1.0 / (ROOT_TAU * half));
}
