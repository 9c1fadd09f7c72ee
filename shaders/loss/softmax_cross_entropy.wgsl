//!use clock reduce log_total softmax_rows softmax_labels
// Mean over the valid rows of −log softmax at the label, and beside it the share of rows whose largest logit is
// not the label's and the mean square of what the shares are off, by one workgroup.

@group(0) @binding(4) var<storage, read_write> mean: array<f32>;       // scalar
@group(0) @binding(5) var<storage, read_write> statistics: array<f32>; // [2]

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
