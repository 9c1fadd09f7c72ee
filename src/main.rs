//! gpu-ae.
fn main(){}
