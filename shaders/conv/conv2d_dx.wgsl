//!use index activation_slope activation_value conv_params
// The gradient of a convolution's input, and the slope of the activation that made it, one invocation a result; also the
// transposed convolution. For groups of channels, and as what the products are measured against.

@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [N, H', W', O]
@group(0) @binding(2) var<storage, read> w: array<f32>;        // [O, K, L, C / groups]
@group(0) @binding(3) var<storage, read> h: array<f32>;        // [N, H, W, C] if params.after is 1, the bias [C] if it is 2
@group(0) @binding(4) var<storage, read_write> dx: array<f32>; // [N, H, W, C]

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let element = group_index(group, groups) * WORKGROUP + lane;
    if element >= params.elements {
        return;
    }
    let c = element % params.inputs;
    let pixel = element / params.inputs;
    let column = pixel % params.width;
    let row = (pixel / params.width) % params.height;
    let image = pixel / (params.width * params.height);
    let of_group = params.inputs / params.groups;
    let outputs = params.outputs / params.groups;
    let first = c / of_group * outputs;
    let taps = params.kernel_height * params.kernel_width;
    var sum = 0.0;
    for (var a = 0u; a < params.kernel_height; a++) {
        for (var b = 0u; b < params.kernel_width; b++) {
            let seeing = seeing_result(image, row, column, a, b);
            if seeing != OUTSIDE {
                var weight = (first * taps + a * params.kernel_width + b) * of_group + c % of_group;
                for (var o = first; o < first + outputs; o++) {
                    sum += dy[seeing * params.outputs + o] * w[weight];
                    weight += taps * of_group;
                }
            }
        }
    }
    if params.after == 1u {
        sum *= activation_slope(params.activation, h[element]);
    } else if params.after == 2u {
        sum = activation_value(params.activation, sum + h[c]);
    }
    dx[element] = sum;
}
