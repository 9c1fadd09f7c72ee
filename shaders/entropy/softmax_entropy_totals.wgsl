//!use clock reduce
// The five totals of soft assignments from their row and column statistics, by one workgroup:
// ΣH, A_doc, A_avg, KL(q̄‖u), mean H; formulas in src/ops/entropy/softmax_entropy.rs.

struct Params {
    m: u32,
    n: u32,
    beta: f32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> clock: array<u32>;        // [16]
@group(0) @binding(2) var<storage, read> row_h: array<f32>;        // [m]
@group(0) @binding(3) var<storage, read> row_document: array<f32>; // [m]
@group(0) @binding(4) var<storage, read> column_lse: array<f32>;   // [n]
@group(0) @binding(5) var<storage, read_write> totals: array<f32>; // [5]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
    let rows = min(clock[CLOCK_VALID_ROWS] * params.rows_per_sample, params.m);
    let log_ratio = log(f32(params.n) / f32(rows));
    var entropy = 0.0;
    var document = 0.0;
    for (var row = lane; row < rows; row += WORKGROUP) {
        entropy += row_h[row];
        document += row_document[row] + f32(params.n) * log_ratio;
    }
    var average = 0.0;
    var divergence = 0.0;
    for (var column = lane; column < params.n; column += WORKGROUP) {
        let log_usage = column_lse[column] + log_ratio; // log(N q̄)
        average += log_usage;
        divergence += exp(log_usage) / f32(params.n) * log_usage;
    }
    let sums = vec4<f32>(reduce_sum(lane, entropy), reduce_sum(lane, document),
        reduce_sum(lane, average), reduce_sum(lane, divergence));
    if lane < 4u {
        totals[lane] = sums[lane];
    }
    if lane == 4u {
        totals[4] = sums.x / f32(rows);
    }
}
