//!use clock
// The clock of one part of a batch, and its share of the batch's valid rows, by a single invocation; what its words mean stands in
// src/ops/step/clock_part.rs.

struct Params {
    part: u32,
    parts: u32,
    rows: u32, // of a part
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> whole: array<u32>;       // [16]
@group(0) @binding(2) var<storage, read_write> clock: array<u32>; // [16]
@group(0) @binding(3) var<storage, read_write> share: array<f32>; // scalar

@compute @workgroup_size(1)
fn main() {
    for (var word = 0u; word < 16u; word++) {
        clock[word] = whole[word];
    }
    let valid = whole[CLOCK_VALID_ROWS];
    let before = params.part * params.rows;
    let own = min(max(valid, before) - before, params.rows);
    clock[CLOCK_STEP] = whole[CLOCK_STEP] * params.parts + params.part;
    clock[CLOCK_BATCH] = whole[CLOCK_BATCH] * params.parts + params.part;
    clock[CLOCK_VALID_ROWS] = own;
    clock[CLOCK_BATCH_SIZE] = params.rows;
    clock[CLOCK_WINDOW] = whole[CLOCK_WINDOW] * params.parts;
    share[0] = f32(own) / f32(max(valid, 1u));
}
