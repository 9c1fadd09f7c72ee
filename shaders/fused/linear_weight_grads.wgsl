//!use index weight_tile
// Weight and bias gradients of several layers in one kernel: a workgroup for every EDGE × EDGE weights of
// any of them. A layer of 20 × 20 weights is four workgroups, which alone would leave a device idle.
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

const ENTRY: u32 = 3u;

// An element of a matrix [batch, width] at `place` of a buffer; buffer 5 is the data set.
fn element(buffer: u32, place: u32, width: u32, sample: u32, column: u32) -> f32 {
    let i = place + sample * width + column;
    switch buffer {
        case 0u: { return values0[i]; }
        case 1u: { return values1[i]; }
        case 2u: { return values2[i]; }
        case 3u: { return values3[i]; }
        case 4u: { return values4[i]; }
        default: { return pixel(width, sample, column); }
    }
}

fn delta_at(source: vec4<u32>, width: u32, sample: u32, column: u32) -> f32 {
    return element(source.x, source.y, width, sample, column);
}

fn input_at(source: vec4<u32>, width: u32, sample: u32, column: u32) -> f32 {
    return element(source.z, source.w, width, sample, column);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let tile = weight_tile(group_index(group, groups), lane);
    let sums = weight_sums(tile, params.layer_table[ENTRY * tile.layer + 1u], lane);
    let result = params.layer_table[ENTRY * tile.layer + 2u];
    if tile.index < params.groups && tile.output < tile.shape.y {
        if tile.input < tile.shape.x {
            gradients[result.x + tile.output * tile.shape.x + tile.input] = sums.x;
        }
        if tile.input == 0u {
            gradients[result.y + tile.output] = sums.y;
        }
    }
}
