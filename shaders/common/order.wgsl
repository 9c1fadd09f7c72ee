// Order of a Rényi entropy. WGSL has no infinity.
struct Order {
    alpha: f32,
    t: f32,        // 1 − alpha
    infinite: u32, // 1: the order is infinite
}
