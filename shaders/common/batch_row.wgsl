// Row of the data set that is row i of the current batch: the next stretch of the epoch's permutation. Where rows come
// window by window, the next stretch of the window, whose rows lie in that order already.
// Needs clock, threefry, permutation, and clock_word(i) of the kernel. Twin: src/ops/batch/batch_rows.rs.
const PADDING: u32 = 0xFFFFFFFFu;

fn batch_row(i: u32) -> u32 {
    if i >= clock_word(CLOCK_VALID_ROWS) {
        return PADDING;
    }
    let window = clock_word(CLOCK_WINDOW);
    if window != 0u {
        return clock_word(CLOCK_BATCH) % window * clock_word(CLOCK_BATCH_SIZE) + i;
    }
    let position = clock_word(CLOCK_BATCH) * clock_word(CLOCK_BATCH_SIZE) + i;
    if clock_word(CLOCK_SHUFFLE) == 0u {
        return position;
    }
    let run_key = vec2<u32>(clock_word(CLOCK_SHUFFLE_KEY), clock_word(CLOCK_SHUFFLE_KEY + 1u));
    let key = threefry2x32(run_key, vec2<u32>(clock_word(CLOCK_EPOCH), 0u));
    return permute(position, clock_word(CLOCK_ROWS), key);
}
