// Boxes of images in whole pixels: the first of ten tries that fits, in products and sums that no device rounds in another way.
// Needs `u` and `params` of the kernel. Twin: src/ops/augment/augment_draw.rs.
const OWN: u32 = 16u; // numbers before those of the tries
const TRIES: u32 = 10u;

// A product of what is not negative that no compiler may join with a sum to one operation, which rounds otherwise.
fn product(a: f32, b: f32) -> f32 {
    return max(a * b, 0.0);
}

fn below(u: f32, n: f32) -> f32 {
    return min(floor(u * n), n - 1.0);
}

// 3/4 (16/9)^u
fn aspect(u: f32) -> f32 {
    let x = 0.5753642 * u;
    var sum = 1.0;
    sum = 1.0 + product(x * (1.0 / 10.0), sum);
    sum = 1.0 + product(x * (1.0 / 9.0), sum);
    sum = 1.0 + product(x * (1.0 / 8.0), sum);
    sum = 1.0 + product(x * (1.0 / 7.0), sum);
    sum = 1.0 + product(x * (1.0 / 6.0), sum);
    sum = 1.0 + product(x * (1.0 / 5.0), sum);
    sum = 1.0 + product(x * (1.0 / 4.0), sum);
    sum = 1.0 + product(x * (1.0 / 3.0), sum);
    sum = 1.0 + product(x * (1.0 / 2.0), sum);
    sum = 1.0 + product(x, sum);
    return 0.75 * sum;
}

fn rounded_root(x: f32) -> f32 {
    let n = floor(sqrt(x) + 0.5);
    let low = 2.0 * n - 1.0;
    let high = 2.0 * n + 1.0;
    if n > 0.0 && low * low > 4.0 * x {
        return n - 1.0;
    }
    if high * high <= 4.0 * x {
        return n + 1.0;
    }
    return n;
}

// Top, left, height and width of the first try that fits, else of the box in the middle.
fn box_of(first: u32) -> vec4<f32> {
    for (var k = 0u; k < TRIES; k++) {
        let at = first + OWN + 4u * k;
        let area = params.height * params.width * (params.least + product(params.rest, u[at]));
        let width = rounded_root(area * aspect(u[at + 1u]));
        let height = rounded_root(area * aspect(1.0 - u[at + 1u]));
        if width > 0.0 && width <= params.width && height > 0.0 && height <= params.height {
            let top = below(u[at + 2u], params.height - height + 1.0);
            let left = below(u[at + 3u], params.width - width + 1.0);
            return vec4<f32>(top, left, height, width);
        }
    }
    return vec4<f32>(params.centred_top, params.centred_left, params.centred_height, params.centred_width);
}
