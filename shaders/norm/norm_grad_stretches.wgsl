//!use index clock norm_params tile_sum
// Sums of dy, and of dy times the normalised x, over the columns of every stretch, for `norm_grad_join`. A workgroup takes a
// stretch and a tile of columns, so that lanes read along rows.

@group(0) @binding(1) var<storage, read> x: array<f32>;           // [samples, rows, columns]
@group(0) @binding(2) var<storage, read> dy: array<f32>;          // [samples, rows, columns]
@group(0) @binding(3) var<storage, read> moments: array<f32>;     // [2, samples, groups]
@group(0) @binding(4) var<storage, read> clock: array<u32>;       // [16], where the clock counts
@group(0) @binding(5) var<storage, read_write> parts: array<f32>; // [samples, stretches, 2, columns]

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
    let sample = part / params.stretches;
    let first = (sample * params.rows + stretch * params.stretch_rows) * params.columns + column;
    let step = WORKGROUP / params.tile;
    let begin = select(count, lane / params.tile, is_inside);
    let within = min(column, params.columns - 1u) / (params.columns / params.groups);
    let at = sample * params.groups + within;
    let mean = moments[at];
    let inverse = 1.0 / sqrt(moments[params.samples * params.groups + at] + params.epsilon);
    var sums = vec2<f32>(0.0);
    for (var row = begin; row < count; row += step) {
        let i = first + row * params.columns;
        sums += dy[i] * vec2<f32>(1.0, (x[i] - mean) * inverse);
    }
    let totals = tile_sum(lane, sums);
    if is_inside && lane < params.tile {
        parts[2u * part * params.columns + column] = totals.x;
        parts[(2u * part + 1u) * params.columns + column] = totals.y;
    }
}
