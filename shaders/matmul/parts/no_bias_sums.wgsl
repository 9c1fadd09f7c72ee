// For products that bring no bias gradient along, beside `bias_sums`.
const WANTS_BIAS_SUMS: bool = false;

fn store_bias_sum(row: u32, sum: f32) {}
