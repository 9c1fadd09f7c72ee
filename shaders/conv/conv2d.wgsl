//!use index activation_value conv_params
// A convolution, its bias and its activation, one invocation a result: for groups of channels, which the products do not
// know, and as what those are measured against. Neighbouring invocations have neighbouring channels of one pixel, so that
// they read the same part of the image.

@group(0) @binding(1) var<storage, read> x: array<f32>;        // [N, H, W, C]
@group(0) @binding(2) var<storage, read> w: array<f32>;        // [O, K, L, C / groups]
@group(0) @binding(3) var<storage, read> bias: array<f32>;     // [O], read where params.after is set
@group(0) @binding(4) var<storage, read_write> y: array<f32>;  // [N, H', W', O]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups) * WORKGROUP + lane;
    if element >= params.elements {
        return;
    }
    let o = element % params.outputs;
    let pixel = element / params.outputs;
    let column = pixel % params.out_width;
    let row = (pixel / params.out_width) % params.out_height;
    let image = pixel / (params.out_width * params.out_height);
    let of_group = params.inputs / params.groups;
    let first = o / (params.outputs / params.groups) * of_group;
    var weight = o * params.kernel_height * params.kernel_width * of_group;
    var sum = 0.0;
    for (var a = 0u; a < params.kernel_height; a++) {
        for (var b = 0u; b < params.kernel_width; b++) {
            let seen = seen_pixel(image, row, column, a, b);
            if seen != OUTSIDE {
                for (var c = 0u; c < of_group; c++) {
                    sum += x[seen * params.inputs + first + c] * w[weight + c];
                }
            }
            weight += of_group;
        }
    }
    if params.after != 0u {
        sum = activation_value(params.activation, sum + bias[o]);
    }
    y[element] = sum;
}
