// The matrix product as one writes it first: one invocation a result, one element a load. Only here, as
// the measure of what tiles are worth.
@group(0) @binding(0) var<storage, read> a: array<f32>;             // [M, K]
@group(0) @binding(1) var<storage, read> b: array<f32>;             // [N, K]
@group(0) @binding(2) var<storage, read_write> product: array<f32>; // [M, N]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) at: vec3<u32>) {
    if at.x >= N || at.y >= M {
        return;
    }
    var sum = 0.0;
    for (var k = 0u; k < K; k++) {
        sum += a[at.y * K + k] * b[at.x * K + k];
    }
    product[at.y * N + at.x] = sum;
}
