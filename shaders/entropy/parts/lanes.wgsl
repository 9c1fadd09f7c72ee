// Sum and maximum over the LANES neighbouring invocations of a workgroup of WORKGROUP that share an item (both
// powers of two, from the header), in a fixed tree order. All invocations must call; all get the result of
// theirs. A single lane has nothing to meet for.
var<workgroup> lane_values: array<f32, WORKGROUP>;

fn sum_lanes(lane: u32, value: f32) -> f32 {
    if LANES == 1u {
        return value;
    }
    workgroupBarrier();
    lane_values[lane] = value;
    for (var width = LANES / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if lane % LANES < width {
            lane_values[lane] += lane_values[lane + width];
        }
    }
    workgroupBarrier();
    return lane_values[lane - lane % LANES];
}

fn max_lanes(lane: u32, value: f32) -> f32 {
    if LANES == 1u {
        return value;
    }
    workgroupBarrier();
    lane_values[lane] = value;
    for (var width = LANES / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if lane % LANES < width {
            lane_values[lane] = max(lane_values[lane], lane_values[lane + width]);
        }
    }
    workgroupBarrier();
    return lane_values[lane - lane % LANES];
}
