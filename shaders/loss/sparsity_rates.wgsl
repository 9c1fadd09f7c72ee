//!use index clock reduce column_mean
// How active each neuron is: the mean of |h| over the valid rows, one workgroup a neuron.

struct Params {
    columns: u32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> h: array<f32>;           // [rows, columns]
@group(0) @binding(2) var<storage, read> clock: array<u32>;       // [16]
@group(0) @binding(3) var<storage, read_write> rates: array<f32>; // [columns]

const WORKGROUP: u32 = 64u;

fn term(i: u32) -> f32 {
    return abs(h[i]);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let column = column_of(group, groups);
    let rate = column_mean(lane, column, clock[CLOCK_VALID_ROWS] * params.rows_per_sample);
    if lane == 0u {
        rates[column] = rate;
    }
}
