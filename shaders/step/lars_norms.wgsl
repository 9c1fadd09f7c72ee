//!use index reduce
// Sums of squares of every tensor's weights and of their gradients with weight decay, one of each workgroup's strided share;
// formulas in src/ops/step/lars_step.rs.
//
// What lies between two tensors is of none: it is masked out. Order of addition: every invocation adds its own elements,
// then the workgroup adds its invocations in a tree. Header: TENSORS.

struct Params {
    tensors: array<vec4<u32>, TENSORS>, // first vector, elements, decay, whether its step is scaled
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;     // arena
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;       // the same places
@group(0) @binding(3) var<storage, read_write> shares: array<vec2<f32>>; // [TENSORS, SHARES]

const WORKGROUP: u32 = 64u;
const SHARES: u32 = 64u; // of a tensor
const LANES: vec4<u32> = vec4<u32>(0u, 1u, 2u, 3u);

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let index = group_index(group, groups);
    // The grid may be larger than what there is to do: the rest adds the last share once more and keeps nothing.
    let tensor = min(index / SHARES, TENSORS - 1u);
    let first = params.tensors[tensor].x;
    let elements = params.tensors[tensor].y;
    let decay = bitcast<f32>(params.tensors[tensor].z);
    var sums = vec2<f32>(0.0);
    if params.tensors[tensor].w != 0u {
        for (var i = index % SHARES * WORKGROUP + lane; 4u * i < elements; i += SHARES * WORKGROUP) {
            let inside = vec4<u32>(4u * i) + LANES < vec4<u32>(elements);
            let w = select(vec4<f32>(0.0), weight[first + i], inside);
            let g = select(vec4<f32>(0.0), gradient[first + i], inside) + decay * w;
            sums += vec2<f32>(dot(w, w), dot(g, g));
        }
    }
    let weights = reduce_sum(lane, sums.x);
    let gradients = reduce_sum(lane, sums.y);
    if lane == 0u && index < TENSORS * SHARES {
        shares[index] = vec2<f32>(weights, gradients);
    }
}
