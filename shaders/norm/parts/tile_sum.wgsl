// Sums of pairs over the lanes of a workgroup that have the same column, WORKGROUP / params.tile of them, as in a tree. All
// must call; all get the sums of their column.
var<workgroup> tile_lanes: array<vec2<f32>, WORKGROUP>;

fn tile_sum(lane: u32, value: vec2<f32>) -> vec2<f32> {
    workgroupBarrier();
    tile_lanes[lane] = value;
    for (var width = WORKGROUP / 2u; width >= params.tile; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            tile_lanes[lane] += tile_lanes[lane + width];
        }
    }
    workgroupBarrier();
    return tile_lanes[lane % params.tile];
}
