//!use index
// Weight and bias gradients of several layers in one kernel: a workgroup for every EDGE × EDGE weights of
// any of them. Deltas and inputs pass through workgroup memory EDGE samples at a time. A layer of 20 × 20
// weights is four workgroups, which alone would leave a device idle.
//
// Values lie in up to five buffers, since what one kernel wrote as a whole lies in one.
// Header: LAYERS.

struct Params {
    batch: u32,
    groups: u32, // tiles of all layers
    layer_table: array<vec4<u32>, 3u * LAYERS>, // inputs, outputs, first tile; buffers and places of dy and x; of dw, db
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> data: array<u32>; // bytes [rows of the set, features]
@group(0) @binding(2) var<storage, read> rows: array<u32>; // [batch]
@group(0) @binding(3) var<storage, read> values0: array<f32>;
@group(0) @binding(4) var<storage, read> values1: array<f32>;
@group(0) @binding(5) var<storage, read> values2: array<f32>;
@group(0) @binding(6) var<storage, read> values3: array<f32>;
@group(0) @binding(7) var<storage, read> values4: array<f32>;
@group(0) @binding(8) var<storage, read_write> gradients: array<f32>; // span: dw [outputs, inputs], db [outputs], …

const EDGE: u32 = 16u;
const WORKGROUP: u32 = 256u;
const PADDING: u32 = 0xFFFFFFFFu;

var<workgroup> deltas: array<array<f32, EDGE>, EDGE>; // [sample, output]
var<workgroup> inputs: array<array<f32, EDGE>, EDGE>; // [sample, input]

// An element of a matrix [batch, width] at `place` of a buffer; buffer 5 is the data set.
fn element(buffer: u32, place: u32, width: u32, sample: u32, column: u32) -> f32 {
    let i = place + sample * width + column;
    switch buffer {
        case 0u: { return values0[i]; }
        case 1u: { return values1[i]; }
        case 2u: { return values2[i]; }
        case 3u: { return values3[i]; }
        case 4u: { return values4[i]; }
        default: {
            let row = rows[sample];
            if row == PADDING {
                return 0.0;
            }
            let word = data[row * (width / 4u) + column / 4u];
            return f32((word >> (8u * (column % 4u))) & 255u) / 255.0;
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let index = group_index(group, groups);
    var layer = 0u;
    while layer + 1u < LAYERS && index >= params.layer_table[3u * layer + 3u].z {
        layer++;
    }
    let shape = params.layer_table[3u * layer];
    let source = params.layer_table[3u * layer + 1u];
    let result = params.layer_table[3u * layer + 2u];
    let tiles = (shape.x + EDGE - 1u) / EDGE;
    let tile = index - shape.z;
    let row = lane / EDGE;
    let column = lane % EDGE;
    let output0 = (tile / tiles) * EDGE;
    let input0 = (tile % tiles) * EDGE;
    var sum = 0.0;
    var bias = 0.0;
    for (var sample0 = 0u; sample0 < params.batch; sample0 += EDGE) {
        let sample = sample0 + row;
        let inside = sample < params.batch && index < params.groups;
        var delta = 0.0;
        var value = 0.0;
        if inside && output0 + column < shape.y {
            delta = element(source.x, source.y, shape.y, sample, output0 + column);
        }
        if inside && input0 + column < shape.x {
            value = element(source.z, source.w, shape.x, sample, input0 + column);
        }
        deltas[row][column] = delta;
        inputs[row][column] = value;
        workgroupBarrier();
        for (var s = 0u; s < EDGE; s++) {
            sum += deltas[s][row] * inputs[s][column];
            bias += deltas[s][row];
        }
        workgroupBarrier();
    }
    let output = output0 + row;
    if index < params.groups && output < shape.y {
        if input0 + column < shape.x {
            gradients[result.x + output * shape.x + input0 + column] = sum;
        }
        if input0 + column == 0u {
            gradients[result.y + output] = bias;
        }
    }
}
