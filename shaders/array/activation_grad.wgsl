//!use index activation_slope
// dx[i] = dy[i] · act'(h[i]), the slope taken from the stored output h = act(x).

struct Params {
    n: u32,
    kind: u32, // as in activation_slope
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [n]
@group(0) @binding(2) var<storage, read> h: array<f32>;        // [n]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // [n]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * WORKGROUP + lane;
    if i >= params.n {
        return;
    }
    dx[i] = dy[i] * activation_slope(params.kind, h[i]);
}
