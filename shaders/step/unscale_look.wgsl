//!use reduce safe_math
// Whether all gradients of a scaled loss are finite: what every workgroup has seen of its strided share, as the number of its
// invocations that met one that is not; and a copy of the clock, for the optimiser. See src/ops/step/unscale.rs.
//
// What lies between two tensors belongs to no one and may hold anything: it is masked out. Header: TENSORS.

struct Params {
    tensors: array<vec4<u32>, TENSORS>, // first vector, elements
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>; // arena
@group(0) @binding(2) var<storage, read> clock: array<u32>;          // [WORDS]
@group(0) @binding(3) var<storage, read_write> seen: array<f32>;     // [workgroups]
@group(0) @binding(4) var<storage, read_write> given: array<u32>;    // [WORDS]

const WORKGROUP: u32 = 256u;
const WORDS: u32 = 16u;
const LANES: vec4<u32> = vec4<u32>(0u, 1u, 2u, 3u);

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let stride = groups.x * WORKGROUP;
    var met = 0.0;
    for (var t = 0u; t < TENSORS; t++) {
        let first = params.tensors[t].x;
        let elements = params.tensors[t].y;
        for (var i = group.x * WORKGROUP + lane; 4u * i < elements; i += stride) {
            let inside = vec4<u32>(4u * i) + LANES < vec4<u32>(elements);
            let g = select(vec4<f32>(0.0), gradient[first + i], inside);
            if !(is_finite(g.x) && is_finite(g.y) && is_finite(g.z) && is_finite(g.w)) {
                met = 1.0;
            }
        }
    }
    let total = reduce_sum(lane, met);
    if lane == 0u {
        seen[group.x] = total;
    }
    if group.x == 0u && lane < WORDS {
        given[lane] = clock[lane];
    }
}
