// The bias gradient that a weight gradient brings along: sums over k of the left operand.
@group(0) @binding(4) var<storage, read_write> db: array<f32>; // [m]

const WANTS_BIAS_SUMS: bool = true;

fn store_bias_sum(row: u32, sum: f32) {
    db[row] = sum;
}
