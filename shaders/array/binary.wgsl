//!use index
// Element-wise combination: y[i] = a[i] ∘ b[i], or a[i] ∘ b[0] when b is a scalar.

struct Params {
    n: u32,
    kind: u32,   // 0 sum, 1 difference, 2 product
    scalar: u32, // 1: b is a scalar
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;       // [n]
@group(0) @binding(2) var<storage, read> b: array<f32>;       // [n] or [1]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [n]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    let left = a[i];
    let right = b[select(i, 0u, params.scalar == 1u)];
    if params.kind == 0u {
        y[i] = left + right;
    } else if params.kind == 1u {
        y[i] = left - right;
    } else {
        y[i] = left * right;
    }
}
