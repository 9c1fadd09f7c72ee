//!use index clock
// Row statistics of soft assignments q = softmax(−βX): largest logit, log of the sum relative to it,
// entropy and Σ log q of each row.
// One invocation a row; rows of padding get zeros.

struct Params {
    m: u32,
    n: u32,
    beta: f32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;                  // [m, n]
@group(0) @binding(2) var<storage, read> clock: array<u32>;              // [16]
@group(0) @binding(3) var<storage, read_write> row_max: array<f32>;      // [m]
@group(0) @binding(4) var<storage, read_write> row_log_sum: array<f32>;  // [m]
@group(0) @binding(5) var<storage, read_write> row_h: array<f32>;        // [m]
@group(0) @binding(6) var<storage, read_write> row_document: array<f32>; // [m]: Σ_i log q

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let row = group_index(group, groups) * WORKGROUP + lane;
    if row >= params.m {
        return;
    }
    if row >= clock[CLOCK_VALID_ROWS] * params.rows_per_sample {
        row_max[row] = 0.0;
        row_log_sum[row] = 0.0;
        row_h[row] = 0.0;
        row_document[row] = 0.0;
        return;
    }
    let first = row * params.n;
    var largest = -params.beta * x[first];
    for (var k = 1u; k < params.n; k++) {
        largest = max(largest, -params.beta * x[first + k]);
    }
    var sum = 0.0;
    for (var k = 0u; k < params.n; k++) {
        sum += exp(-params.beta * x[first + k] - largest);
    }
    // Relative to the largest logit: of logits near 1e4 the log of the sum would drown.
    let log_sum = log(sum);
    var h = 0.0;
    var document = 0.0;
    for (var k = 0u; k < params.n; k++) {
        let log_q = (-params.beta * x[first + k] - largest) - log_sum;
        h -= exp(log_q) * log_q;
        document += log_q;
    }
    row_max[row] = largest;
    row_log_sum[row] = log_sum;
    row_h[row] = h;
    row_document[row] = document;
}
