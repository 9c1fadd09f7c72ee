// Parameters of norms of long columns, whose rows are cut into stretches. A batch norm is one sample of all rows, and each of
// its columns a group. Twin: src/ops/norm/stretches.rs.
struct Params {
    samples: u32,
    rows: u32,            // of a sample, with those of padding
    columns: u32,
    groups: u32,          // of columns
    stretches: u32,       // of a sample
    stretch_rows: u32,
    tile: u32,            // columns that a workgroup takes, a power of two
    rows_per_sample: u32, // that the clock counts as one, 0 where all rows are valid
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;

// Rows of a sample that are valid, by the clock's count.
fn valid_rows(counted: u32) -> u32 {
    return select(counted * params.rows_per_sample, params.rows, params.rows_per_sample == 0u);
}

// Rows of a stretch that are valid.
fn stretch_count(stretch: u32, valid: u32) -> u32 {
    let begin = min(stretch * params.stretch_rows, valid);
    return min(begin + params.stretch_rows, valid) - begin;
}
