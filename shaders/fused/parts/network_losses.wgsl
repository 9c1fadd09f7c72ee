// The losses of a step, for `network_update`.

// Whether every loss of this step is finite; the first workgroup writes them down.
fn losses_are_finite(lane: u32, first: bool) -> bool {
    var share = 0.0;
    for (var sample = lane; sample < params.batch; sample += WORKGROUP) {
        share += workspace[params.losses + sample];
    }
    let loss = reduce_sum(lane, share);
    var all = loss;
    if first && lane == 0u {
        losses_out[params.outputs[0].x] = loss;
    }
    for (var value = 0u; value < params.values; value++) {
        var sum = 0.0;
        for (var t = 0u; t < TERMS_USED; t++) {
            let term = params.terms[2u * t + 1u];
            sum += select(0.0, workspace[term.y], term.z == value);
        }
        all += sum;
        if first && lane == 0u {
            losses_out[params.outputs[(1u + value) / 4u][(1u + value) % 4u]] = sum;
        }
    }
    return is_finite(all);
}
