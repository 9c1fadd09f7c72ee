//!use index upsample_params
// Images a whole number of times as large, an invocation a result.

@group(0) @binding(1) var<storage, read> x: array<f32>;       // [N, H, W, C]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [N, fH, fW, C]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups) * WORKGROUP + lane;
    if element >= params.elements {
        return;
    }
    let n = params.channels;
    let c = element % n;
    let pixel = element / n;
    let size = params.size * params.factor;
    let vertical = source_of((pixel / size.y) % size.x, params.size.x);
    let horizontal = source_of(pixel % size.y, params.size.y);
    let image = pixel / (size.x * size.y) * params.size.x;
    let above = (image + vertical.first) * params.size.y;
    if params.bilinear == 0u {
        y[element] = x[(above + horizontal.first) * n + c];
        return;
    }
    let below = (image + vertical.second) * params.size.y;
    let left = 1.0 - horizontal.share;
    let upper = left * x[(above + horizontal.first) * n + c] + horizontal.share * x[(above + horizontal.second) * n + c];
    let lower = left * x[(below + horizontal.first) * n + c] + horizontal.share * x[(below + horizontal.second) * n + c];
    y[element] = (1.0 - vertical.share) * upper + vertical.share * lower;
}
