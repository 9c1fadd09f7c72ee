//!use index reduce conv_params
// The gradient of a convolution's weights, one workgroup a weight: its invocations go over the pixels in strides, and their
// sums are added as in a tree. The groups behind those of the weights sum the bias. For groups of channels, and as what the
// products are measured against.

@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [N, H', W', O]
@group(0) @binding(2) var<storage, read> x: array<f32>;        // [N, H, W, C]
@group(0) @binding(3) var<storage, read_write> dw: array<f32>; // [O, K, L, C / groups]
@group(0) @binding(4) var<storage, read_write> db: array<f32>; // [O], written where params.after is set

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups);
    let is_bias = element >= params.elements;
    if is_bias && (params.after == 0u || element - params.elements >= params.outputs) {
        return;
    }
    let of_group = params.inputs / params.groups;
    let c = element % of_group;
    let tap = (element / of_group) % (params.kernel_height * params.kernel_width);
    let a = tap / params.kernel_width;
    let b = tap % params.kernel_width;
    let o = select(element / (of_group * params.kernel_height * params.kernel_width), element - params.elements, is_bias);
    let channel = o / (params.outputs / params.groups) * of_group + c;
    let pixels = params.images * params.out_height * params.out_width;
    var sum = 0.0;
    for (var pixel = lane; pixel < pixels; pixel += WORKGROUP) {
        let column = pixel % params.out_width;
        let row = (pixel / params.out_width) % params.out_height;
        let image = pixel / (params.out_width * params.out_height);
        let seen = seen_pixel(image, row, column, a, b);
        let value = select(x[select(seen, 0u, seen == OUTSIDE) * params.inputs + channel], 0.0, seen == OUTSIDE);
        sum += dy[pixel * params.outputs + o] * select(value, 1.0, is_bias);
    }
    sum = reduce_sum(lane, sum);
    if lane == 0u && is_bias {
        db[o] = sum;
    } else if lane == 0u {
        dw[element] = sum;
    }
}
