// The weight decay of a place in the arena: that of the run of tensors in which it lies. Header: RUNS, of which one needs no
// search. Needs params.runs: array<vec4<u32>, RUNS> of first vector and decay; host's side: src/ops/step/decayed.rs.
fn run_of(vector: u32) -> u32 {
    var run = 0u;
    var end = RUNS;
    while end - run > 1u {
        let middle = (run + end) / 2u;
        if params.runs[middle].x <= vector {
            run = middle;
        } else {
            end = middle;
        }
    }
    return run;
}

fn decay_of(vector: u32) -> f32 {
    return bitcast<f32>(params.runs[run_of(vector)].y);
}
