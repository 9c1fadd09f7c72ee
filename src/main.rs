//! gpu-ae.
fn main() {}
