// Functions that WGSL lacks, accurate where the textbook form cancels.

const LOWEST: f32 = -3.4e38;

// e^x − 1. Near 0 a Taylor series, whose next term is below 1e-8 of the result at |x| = 0.5.
fn expm1(x: f32) -> f32 {
    if abs(x) < 0.5 {
        let tail = 1.0 + x * (1.0 / 7.0) * (1.0 + x * 0.125 * (1.0 + x * (1.0 / 9.0)));
        let middle = 1.0 + x * 0.2 * (1.0 + x * (1.0 / 6.0) * tail);
        return x * (1.0 + x * 0.5 * (1.0 + x * (1.0 / 3.0) * (1.0 + x * 0.25 * middle)));
    }
    return exp(x) - 1.0;
}

// log(1 + x). Near 0 by the odd series of log((1 + s) / (1 − s)) with s = x / (2 + x).
fn log1p(x: f32) -> f32 {
    if abs(x) < 0.5 {
        let s = x / (2.0 + x);
        let q = s * s;
        let tail = 1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0)));
        return 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (0.2 + q * tail)));
    }
    return log(1.0 + x);
}

// (e^x − 1) / x, 1 at 0.
fn expm1_over_x(x: f32) -> f32 {
    if x == 0.0 {
        return 1.0;
    }
    return expm1(x) / x;
}

// Whether the bits are those of a finite number: WGSL lets a compiler assume that NaN and infinity
// never happen, so only the bits tell.
fn is_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7F800000u) != 0x7F800000u;
}
