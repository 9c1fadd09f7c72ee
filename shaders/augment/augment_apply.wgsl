//!use index
// Images read at the places that were drawn for them, an invocation for each value; twin: src/ops/augment/augment_apply.rs.

struct Params {
    n: u32,
    channels: u32,
    height: u32,
    width: u32,
    rows: u32,    // of a result
    columns: u32,
    cut: u32,     // 1: a box; 0: moved
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [images, height * width * channels]
@group(0) @binding(2) var<storage, read> places: array<f32>;  // [images, 8]
@group(0) @binding(3) var<storage, read> black: array<f32>;   // [channels]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [n]

const WORKGROUP: u32 = 64u;

// Along an axis: both neighbours, and the share of the second.
struct Between {
    near: i32,
    far: i32,
    share: f32,
}

fn in_box(first: f32, length: f32, pixel: u32, output: u32) -> Between {
    let source = max((f32(pixel) + 0.5) * length / f32(output) - 0.5, 0.0);
    let near = min(floor(source), length - 1.0);
    let far = min(near + 1.0, length - 1.0);
    return Between(i32(first + near), i32(first + far), source - near);
}

fn around(source: f32) -> Between {
    let near = floor(source);
    return Between(i32(near), i32(near) + 1, source - near);
}

fn pixel_of(image: u32, v: i32, u: i32, channel: u32) -> f32 {
    if v < 0 || v >= i32(params.height) || u < 0 || u >= i32(params.width) {
        return black[channel];
    }
    return x[((image * params.height + u32(v)) * params.width + u32(u)) * params.channels + channel];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let n = group_index(group, groups) * WORKGROUP + lane;
    if n >= params.n {
        return;
    }
    let channel = n % params.channels;
    let pixel = n / params.channels;
    let image = pixel / params.columns / params.rows;
    let place = 8u * image;
    var i = pixel / params.columns % params.rows;
    var j = pixel % params.columns;
    if places[place + 6u] != 0.0 {
        i = params.rows - 1u - i;
    }
    if places[place + 7u] != 0.0 {
        j = params.columns - 1u - j;
    }
    var down: Between;
    var right: Between;
    if params.cut == 1u {
        down = in_box(places[place], places[place + 2u], i, params.rows);
        right = in_box(places[place + 1u], places[place + 3u], j, params.columns);
    } else {
        let middle = vec2<f32>(f32(params.height) - 1.0, f32(params.width) - 1.0) * 0.5;
        let at = vec2<f32>(f32(i), f32(j)) - middle;
        down = around(places[place] * at.x + places[place + 1u] * at.y + places[place + 4u] + middle.x);
        right = around(places[place + 2u] * at.x + places[place + 3u] * at.y + places[place + 5u] + middle.y);
    }
    let above = (1.0 - right.share) * pixel_of(image, down.near, right.near, channel)
        + right.share * pixel_of(image, down.near, right.far, channel);
    let below = (1.0 - right.share) * pixel_of(image, down.far, right.near, channel)
        + right.share * pixel_of(image, down.far, right.far, channel);
    y[n] = (1.0 - down.share) * above + down.share * below;
}
