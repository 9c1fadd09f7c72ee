//!use index upsample_params
// The gradient of images made larger, an invocation a pixel and channel of the image: it adds its share of all results that
// may have taken some of it, those within a pixel's distance.

@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [N, fH, fW, C]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>; // [N, H, W, C]

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
    let at = vec2<u32>((pixel / params.size.y) % params.size.x, pixel % params.size.y);
    let image = pixel / (params.size.x * params.size.y);
    let size = params.size * params.factor;
    let middle = at * params.factor;
    let before = vec2<u32>((params.factor + 1u) / 2u);
    let reach = vec2<u32>(params.factor + params.factor / 2u);
    let bilinear = params.bilinear != 0u;
    let first = select(middle, middle - min(middle, before), bilinear);
    let last = select(middle + params.factor - 1u, min(size - 1u, middle + reach), bilinear);
    var sum = 0.0;
    for (var i = first.x; i <= last.x; i++) {
        let share = share_of(at.x, i, params.size.x);
        for (var j = first.y; j <= last.y; j++) {
            let taken = share * share_of(at.y, j, params.size.y);
            if taken > 0.0 {
                sum += taken * dy[((image * size.x + i) * size.y + j) * n + c];
            }
        }
    }
    dx[element] = sum;
}
