//!use clock reduce log_total
// Mean over the valid rows of −log softmax at the label, and beside it the share of rows whose largest logit is
// not the label's and the mean square of what the shares are off, by one workgroup.

struct Params {
    m: u32,
    n: u32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;           // [m, n]
@group(0) @binding(2) var<storage, read> labels: array<u32>;           // [m]
@group(0) @binding(3) var<storage, read> clock: array<u32>;            // [16]
@group(0) @binding(4) var<storage, read_write> mean: array<f32>;       // scalar
@group(0) @binding(5) var<storage, read_write> statistics: array<f32>; // [2]

const WORKGROUP: u32 = 64u;

fn logit(first: u32, k: u32, of_p: bool) -> f32 {
    return logits[first + k];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
    let rows = min(clock[CLOCK_VALID_ROWS] * params.rows_per_sample, params.m);
    var entropy = 0.0;
    var errors = 0.0;
    var squares = 0.0;
    for (var row = lane; row < rows; row += WORKGROUP) {
        let first = row * params.n;
        let label = min(labels[row], params.n - 1u);
        let total = log_total(first, params.n, true);
        var best = 0u;
        for (var k = 0u; k < params.n; k++) {
            let off = exp((logits[first + k] - total.x) - total.y) - select(0.0, 1.0, k == label);
            squares += off * off;
            if logits[first + k] > logits[first + best] {
                best = k;
            }
        }
        entropy += total.y - (logits[first + label] - total.x);
        errors += select(1.0, 0.0, best == label);
    }
    let count = f32(max(rows, 1u));
    let all = vec3<f32>(reduce_sum(lane, entropy), reduce_sum(lane, errors), reduce_sum(lane, squares)) / count;
    if lane == 0u {
        mean[0] = all.x;
        statistics[0] = all.y;
        statistics[1] = all.z / f32(params.n);
    }
}
