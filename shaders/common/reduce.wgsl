// Sum and maximum over a workgroup of WORKGROUP invocations (a power of two that the kernel
// declares), in a fixed tree order, so the same bits come out every time. All invocations must
// call; all get the result.
var<workgroup> reduce_lanes: array<f32, WORKGROUP>;

fn reduce_sum(lane: u32, value: f32) -> f32 {
    workgroupBarrier();
    reduce_lanes[lane] = value;
    for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            reduce_lanes[lane] += reduce_lanes[lane + width];
        }
    }
    workgroupBarrier();
    return reduce_lanes[0];
}

fn reduce_max(lane: u32, value: f32) -> f32 {
    workgroupBarrier();
    reduce_lanes[lane] = value;
    for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            reduce_lanes[lane] = max(reduce_lanes[lane], reduce_lanes[lane + width]);
        }
    }
    workgroupBarrier();
    return reduce_lanes[0];
}
