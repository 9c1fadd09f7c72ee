//!use index reduce
// Colours of images changed by the factors drawn for them, a workgroup an image: the mean of grey, which contrast leaves as it
// is, then every pixel by itself. Twin: src/ops/augment/augment_colour.rs.

struct Params {
    images: u32,
    pixels: u32,
    channels: u32, // 3 or 1
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [images, pixels * channels]
@group(0) @binding(2) var<storage, read> colours: array<f32>; // [images, 8]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [images, pixels * channels]

const WORKGROUP: u32 = 64u;

fn clamped(x: vec3<f32>) -> vec3<f32> {
    return min(max(x, vec3<f32>()), vec3<f32>(1.0));
}

fn grey_of(colour: vec3<f32>) -> f32 {
    return 0.2989 * colour.x + 0.587 * colour.y + 0.114 * colour.z;
}

fn blended(colour: vec3<f32>, other: f32, share: f32) -> vec3<f32> {
    return clamped(share * colour + (1.0 - share) * vec3<f32>(other));
}

fn turned(colour: vec3<f32>, turn: f32) -> vec3<f32> {
    let value = max(max(colour.x, colour.y), colour.z);
    let chroma = value - min(min(colour.x, colour.y), colour.z);
    if chroma <= 0.0 {
        return colour;
    }
    let c = (vec3<f32>(value) - colour) / chroma;
    var sixths = 4.0 + c.y - c.x;
    if colour.x == value {
        sixths = c.z - c.y;
    } else if colour.y == value {
        sixths = 2.0 + c.x - c.z;
    }
    let whole = sixths / 6.0 + turn;
    let hue = 6.0 * (whole - floor(whole));
    let sextant = floor(hue);
    let saturation = chroma / value;
    let part = hue - sextant;
    let p = value * (1.0 - saturation);
    let q = value * (1.0 - saturation * part);
    let t = value * (1.0 - saturation * (1.0 - part));
    var found = vec3<f32>(value, p, q);
    switch u32(sextant) % 6u {
        case 0u: { found = vec3<f32>(value, t, p); }
        case 1u: { found = vec3<f32>(q, value, p); }
        case 2u: { found = vec3<f32>(p, value, t); }
        case 3u: { found = vec3<f32>(p, q, value); }
        case 4u: { found = vec3<f32>(t, p, value); }
        default: {}
    }
    return clamped(found);
}

// A pixel, of one channel as a grey colour.
fn pixel_of(at: u32) -> vec3<f32> {
    if params.channels == 1u {
        return vec3<f32>(x[at]);
    }
    return vec3<f32>(x[3u * at], x[3u * at + 1u], x[3u * at + 2u]);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    // Groups past the end repeat the last image, since all must meet at the barriers.
    let image = min(group_index(group, groups), params.images - 1u);
    let first = image * params.pixels;
    let own = 8u * image;
    let brightness = colours[own + 1u];
    let contrast = colours[own + 2u];
    let single = params.channels == 1u;
    var sum = 0.0;
    for (var k = lane; k < params.pixels; k += WORKGROUP) {
        let bright = clamped(brightness * pixel_of(first + k));
        sum += select(grey_of(bright), bright.x, single);
    }
    let mean = reduce_sum(lane, sum) / f32(params.pixels);
    for (var k = lane; k < params.pixels; k += WORKGROUP) {
        var colour = pixel_of(first + k);
        if colours[own] != 0.0 {
            colour = blended(clamped(brightness * colour), mean, contrast);
            if !single {
                colour = blended(colour, grey_of(colour), colours[own + 3u]);
                if colours[own + 4u] != 0.0 {
                    colour = turned(colour, colours[own + 4u]);
                }
            }
        }
        if single {
            y[first + k] = colour.x;
        } else {
            if colours[own + 5u] != 0.0 {
                colour = vec3<f32>(grey_of(colour));
            }
            y[3u * (first + k)] = colour.x;
            y[3u * (first + k) + 1u] = colour.y;
            y[3u * (first + k) + 2u] = colour.z;
        }
    }
}
