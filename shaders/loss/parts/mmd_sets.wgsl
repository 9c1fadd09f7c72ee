// The two sets of points that a maximum mean discrepancy compares, beside `clock`.
struct Params {
    code_rows: u32,
    draw_rows: u32,
    columns: u32,
    kind: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> codes: array<f32>; // [code_rows, columns]
@group(0) @binding(2) var<storage, read> draws: array<f32>; // [draw_rows, columns]
@group(0) @binding(3) var<storage, read> clock: array<u32>; // [16]

const WORKGROUP: u32 = 64u;

fn element(of_codes: bool, i: u32) -> f32 {
    if of_codes {
        return codes[i];
    }
    return draws[i];
}

fn valid_codes() -> u32 {
    return min(clock[CLOCK_VALID_ROWS], params.code_rows);
}

// As many draws fewer as there are rows of padding among the codes.
fn valid_draws() -> u32 {
    return params.draw_rows - min(params.code_rows - valid_codes(), params.draw_rows);
}
