//!use reduce jacobi
// Squared Bures distance of a covariance from the identity, its derivative and the eigenvalues, by one workgroup, in
// as many dispatches as the host finds right.

struct Params {
    n: u32,
    diagonal: u32, // 1 when only the diagonal counts
    jitter: f32,
    sweeps: u32, // most sweeps of this dispatch
    first: u32,  // 1 for the dispatch that begins
    last: u32,   // 1 for the dispatch that ends
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> covariance: array<f32>;        // [n, n]
@group(0) @binding(2) var<storage, read_write> distance: array<f32>;    // [1]
@group(0) @binding(3) var<storage, read_write> slope: array<f32>;       // [n, n]
@group(0) @binding(4) var<storage, read_write> eigenvalues: array<f32>; // [n], descending
@group(0) @binding(5) var<storage, read_write> a: array<f32>;           // [n, n], on its way to a diagonal
@group(0) @binding(6) var<storage, read_write> v: array<f32>;           // [n, n], eigenvectors in columns

const WORKGROUP: u32 = 128u;
const EPSILON: f32 = 1.1920929e-7;

var<workgroup> roots: array<f32, 192>; // as many as src/ops/loss/bures.rs allows columns
var<workgroup> finished: u32;

// The matrix as it is, and no rotation yet.
fn begin(lane: u32) {
    let n = params.n;
    for (var i = lane; i < n * n; i += WORKGROUP) {
        let row = i / n;
        let column = i - row * n;
        let on = row == column;
        let value = 0.5 * (covariance[i] + covariance[column * n + row]);
        a[i] = select(select(value, 0.0, params.diagonal == 1u), value + params.jitter, on);
        v[i] = select(0.0, 1.0, on);
    }
}

// Whether nothing is left beside the diagonal.
fn is_diagonal(lane: u32) -> bool {
    let n = params.n;
    var beside = 0.0;
    var along = 0.0;
    for (var i = lane; i < n * n; i += WORKGROUP) {
        let square = a[i] * a[i];
        let on = i / n == i % n;
        beside += select(square, 0.0, on);
        along += select(0.0, square, on);
    }
    let left = reduce_sum(lane, beside);
    let whole = reduce_sum(lane, along);
    return left <= 1e-4 * EPSILON * EPSILON * whole;
}

// The answers.
fn finish(lane: u32) {
    let n = params.n;
    var most = 0.0;
    for (var i = lane; i < n; i += WORKGROUP) {
        most = max(most, a[i * n + i]);
    }
    let least = max(EPSILON * reduce_max(lane, most), 1e-30);
    var sum = 0.0;
    for (var i = lane; i < n; i += WORKGROUP) {
        let value = a[i * n + i];
        let root = sqrt(max(value, least));
        roots[i] = root;
        sum += (root - 1.0) * (root - 1.0);
        var place = 0u;
        for (var j = 0u; j < n; j++) {
            let other = a[j * n + j];
            place += select(0u, 1u, other > value || (other == value && j < i));
        }
        eigenvalues[place] = value;
    }
    let total = reduce_sum(lane, sum);
    if lane == 0u {
        distance[0] = total;
    }
    for (var i = lane; i < n * n; i += WORKGROUP) {
        let row = i / n;
        let column = i - row * n;
        var inverse_root = 0.0;
        for (var k = 0u; k < n; k++) {
            inverse_root += v[row * n + k] * v[column * n + k] / roots[k];
        }
        slope[i] = select(0.0, 1.0, row == column) - inverse_root;
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
    if params.first == 1u {
        begin(lane);
    }
    storageBarrier();
    for (var s = 0u; s < params.sweeps; s++) {
        let diagonal = is_diagonal(lane);
        if lane == 0u {
            finished = select(0u, 1u, diagonal);
        }
        if workgroupUniformLoad(&finished) == 1u {
            break;
        }
        sweep(lane);
    }
    if params.last == 1u {
        finish(lane);
    }
}
