//!use index safe_math logistic_interval
// Gradient of the bits of intervals of a logistic distribution, by both edges.

struct Params {
    n: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> upper: array<f32>;         // [n]
@group(0) @binding(2) var<storage, read> lower: array<f32>;         // [n]
@group(0) @binding(3) var<storage, read> dy: array<f32>;            // [n]
@group(0) @binding(4) var<storage, read_write> d_upper: array<f32>; // [n]
@group(0) @binding(5) var<storage, read_write> d_lower: array<f32>; // [n]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    let u = upper[i];
    let l = lower[i];
    let width = u - l;
    let inside = log1m_exp(width);
    // On one side of 0 the two softplus of an edge are small, and the other edge's difference follows.
    var a = softplus(l) - softplus(u);
    var b = -a - width;
    if u + l > 0.0 {
        b = softplus(-u) - softplus(-l);
        a = -b - width;
    }
    let scale = dy[i] / LN_2;
    d_upper[i] = -scale * exp(a - inside);
    d_lower[i] = scale * exp(b - inside);
}
