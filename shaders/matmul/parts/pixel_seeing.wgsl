// The result of a convolution that sees row `row`, a pixel of its input, through tap `tap`, or OUTSIDE. What lies before
// the results wraps around to numbers beyond all images. Needs the constants of src/ops/matmul/matmul_patches.rs.
const OUTSIDE: u32 = 0xffffffffu;

fn patch_pixel(row: u32, tap: u32) -> u32 {
    let at = row % (ROWS_HEIGHT * ROWS_WIDTH);
    let u = at / ROWS_WIDTH + PADDING_HEIGHT - tap / KERNEL_WIDTH * DILATION_HEIGHT;
    let v = at % ROWS_WIDTH + PADDING_WIDTH - tap % KERNEL_WIDTH * DILATION_WIDTH;
    let i = u / STRIDE_HEIGHT;
    let j = v / STRIDE_WIDTH;
    let meets = u % STRIDE_HEIGHT == 0u && v % STRIDE_WIDTH == 0u && i < SEEN_HEIGHT && j < SEEN_WIDTH;
    return select(OUTSIDE, (row / (ROWS_HEIGHT * ROWS_WIDTH) * SEEN_HEIGHT + i) * SEEN_WIDTH + j, meets);
}
