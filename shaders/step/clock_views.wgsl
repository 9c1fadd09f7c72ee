//!use clock
// The clock of a batch whose rows come in several views each, by a single invocation.

struct Params {
    views: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> of_rows: array<u32>;     // [16]
@group(0) @binding(2) var<storage, read_write> clock: array<u32>; // [16]

@compute @workgroup_size(1)
fn main() {
    for (var word = 0u; word < 16u; word++) {
        clock[word] = of_rows[word];
    }
    clock[CLOCK_VALID_ROWS] = of_rows[CLOCK_VALID_ROWS] * params.views;
}
