//!use index boxes
// Where each image is read, and what becomes of its colours, by uniform numbers. Boxes are whole pixels, so a last bit
// decides: see src/ops/augment/augment_draw.rs.

struct Params {
    rows: u32,
    numbers: u32, // uniform numbers an image
    cut: u32,     // 1: a box; 0: moved
    height: f32,
    width: f32,
    flip_vertical: f32,
    flip: f32,
    padding: f32,
    shift: f32,
    turn: f32,    // radians
    scale: f32,
    shear: f32,
    least: f32,   // area of a box
    rest: f32,    // 1 - least
    centred_top: f32,
    centred_left: f32,
    centred_height: f32,
    centred_width: f32,
    jitter: f32,
    brightness: f32,
    contrast: f32,
    saturation: f32,
    hue: f32,
    grey: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>;             // [rows, numbers]
@group(0) @binding(2) var<storage, read_write> places: array<f32>;  // [rows, 8]
@group(0) @binding(3) var<storage, read_write> colours: array<f32>; // [rows, 8]

const WORKGROUP: u32 = 64u;

fn either(u: f32) -> f32 {
    return u + u - 1.0;
}

// Whole pixels, then a share of the side.
fn distance_of(first: u32, axis: u32, side: f32) -> f32 {
    let whole = below(u[first + 2u + axis], 2.0 * params.padding + 1.0) - params.padding;
    return whole + params.shift * side * either(u[first + 4u + axis]);
}

// 1 for so large a share.
fn chosen(u: f32, share: f32) -> f32 {
    return select(0.0, 1.0, u < share);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let row = group_index(group, groups) * WORKGROUP + lane;
    if row >= params.rows {
        return;
    }
    let first = row * params.numbers;
    let to = 8u * row;
    if params.cut == 1u {
        let found = box_of(first);
        places[to] = found.x;
        places[to + 1u] = found.y;
        places[to + 2u] = found.z;
        places[to + 3u] = found.w;
        places[to + 4u] = 0.0;
        places[to + 5u] = 0.0;
    } else {
        // Exactly 0 and 1 where nothing turns and nothing grows.
        var sine = 0.0;
        var cosine = 1.0;
        if params.turn != 0.0 {
            let angle = params.turn * either(u[first + 6u]);
            sine = sin(angle);
            cosine = cos(angle);
        }
        var inverse = 1.0;
        if params.scale != 0.0 {
            inverse = 1.0 / (1.0 + params.scale * either(u[first + 7u]));
        }
        let shear = params.shear * either(u[first + 14u]);
        places[to] = (cosine - sine * shear) * inverse;
        places[to + 1u] = -sine * inverse;
        places[to + 2u] = (sine + cosine * shear) * inverse;
        places[to + 3u] = cosine * inverse;
        places[to + 4u] = distance_of(first, 0u, params.height);
        places[to + 5u] = distance_of(first, 1u, params.width);
    }
    places[to + 6u] = chosen(u[first], params.flip_vertical);
    places[to + 7u] = chosen(u[first + 1u], params.flip);
    colours[to] = chosen(u[first + 8u], params.jitter);
    colours[to + 1u] = 1.0 + params.brightness * either(u[first + 9u]);
    colours[to + 2u] = 1.0 + params.contrast * either(u[first + 10u]);
    colours[to + 3u] = 1.0 + params.saturation * either(u[first + 11u]);
    colours[to + 4u] = params.hue * either(u[first + 12u]);
    colours[to + 5u] = chosen(u[first + 13u], params.grey);
    colours[to + 6u] = 0.0;
    colours[to + 7u] = 0.0;
}
