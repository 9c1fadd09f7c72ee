//!use reduce
// Sums of the squares of several tensors in one buffer, one of each workgroup's strided share.
//
// What lies between two tensors belongs to no one and may hold anything: it is masked out.
// Order of addition: every invocation adds its own elements tensor by tensor, then the workgroup adds its
// invocations in a tree. Header: TENSORS.

struct Params {
    tensors: array<vec4<u32>, TENSORS>, // first vector, elements
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>; // arena
@group(0) @binding(2) var<storage, read_write> shares: array<f32>;   // [workgroups]

const WORKGROUP: u32 = 256u;
const LANES: vec4<u32> = vec4<u32>(0u, 1u, 2u, 3u);

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let stride = groups.x * WORKGROUP;
    var sum = 0.0;
    for (var t = 0u; t < TENSORS; t++) {
        let first = params.tensors[t].x;
        let elements = params.tensors[t].y;
        for (var i = group.x * WORKGROUP + lane; 4u * i < elements; i += stride) {
            let inside = vec4<u32>(4u * i) + LANES < vec4<u32>(elements);
            let g = select(vec4<f32>(0.0), gradient[first + i], inside);
            sum += dot(g, g);
        }
    }
    let total = reduce_sum(lane, sum);
    if lane == 0u {
        shares[group.x] = total;
    }
}
