//!use index clock norm_params tile_sum
// Means of the columns of every stretch, and their squared deviations from them, for `norm_join`. A workgroup takes a stretch
// and a tile of columns, so that lanes read along rows.

@group(0) @binding(1) var<storage, read> x: array<f32>;             // [samples, rows, columns]
@group(0) @binding(2) var<storage, read> clock: array<u32>;         // [16], where the clock counts
@group(0) @binding(3) var<storage, read_write> parts: array<f32>;   // [samples, stretches, 2, columns]

const WORKGROUP: u32 = 256u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let tiles = (params.columns + params.tile - 1u) / params.tile;
    // Groups past the end repeat the last, since all must meet at the barriers.
    let number = min(group_index(group, groups), params.samples * params.stretches * tiles - 1u);
    let part = number / tiles;
    let stretch = part % params.stretches;
    var counted = 0u;
    if params.rows_per_sample != 0u {
        counted = clock[CLOCK_VALID_ROWS];
    }
    let count = stretch_count(stretch, valid_rows(counted));
    let column = number % tiles * params.tile + lane % params.tile;
    let is_inside = column < params.columns;
    let first = (part / params.stretches * params.rows + stretch * params.stretch_rows) * params.columns + column;
    let step = WORKGROUP / params.tile;
    let begin = select(count, lane / params.tile, is_inside);
    // Distances from the first row, so that columns far from 0 keep their digits.
    var origin = 0.0;
    if is_inside {
        origin = x[first];
    }
    var sum = 0.0;
    for (var row = begin; row < count; row += step) {
        sum += x[first + row * params.columns] - origin;
    }
    let total = tile_sum(lane, vec2<f32>(sum, 0.0)).x;
    let mean = select(0.0, origin + total / f32(max(count, 1u)), count > 0u);
    var squares = 0.0;
    for (var row = begin; row < count; row += step) {
        let error = x[first + row * params.columns] - mean;
        squares += error * error;
    }
    let deviation = tile_sum(lane, vec2<f32>(squares, 0.0)).x;
    if is_inside && lane < params.tile {
        parts[2u * part * params.columns + column] = mean;
        parts[(2u * part + 1u) * params.columns + column] = deviation;
    }
}
