//!use clock
// The clock of one part of a batch, and its share of the batch's valid rows, by a single invocation; what its words mean stands in
// src/ops/step/clock_part.rs.

struct Params {
    part: u32,
    parts: u32,
    rows: u32,  // of a part
    first: u32, // part that a window of rows holds,
    held: u32,  // and how many of each batch
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
    // Of a window its batches are counted, else those of all rows.
    let window = whole[CLOCK_WINDOW];
    let first = select(0u, params.first, window > 0u);
    let count = select(params.parts, params.held, window > 0u);
    clock[CLOCK_BATCH] = whole[CLOCK_BATCH] * count + params.part - first;
    clock[CLOCK_VALID_ROWS] = own;
    clock[CLOCK_BATCH_SIZE] = params.rows;
    clock[CLOCK_WINDOW] = window * count;
    share[0] = f32(own) / f32(max(valid, 1u));
}
