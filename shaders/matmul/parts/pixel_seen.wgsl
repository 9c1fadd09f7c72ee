// The pixel that row `row`, a result of a convolution, sees through tap `tap`, or OUTSIDE. What lies before the image
// wraps around to numbers beyond all images. Needs the constants of src/ops/matmul/matmul_patches.rs.
const OUTSIDE: u32 = 0xffffffffu;

fn patch_pixel(row: u32, tap: u32) -> u32 {
    let at = row % (ROWS_HEIGHT * ROWS_WIDTH);
    let u = at / ROWS_WIDTH * STRIDE_HEIGHT + tap / KERNEL_WIDTH * DILATION_HEIGHT - PADDING_HEIGHT;
    let v = at % ROWS_WIDTH * STRIDE_WIDTH + tap % KERNEL_WIDTH * DILATION_WIDTH - PADDING_WIDTH;
    let pixel = (row / (ROWS_HEIGHT * ROWS_WIDTH) * SEEN_HEIGHT + u) * SEEN_WIDTH + v;
    return select(OUTSIDE, pixel, u < SEEN_HEIGHT && v < SEEN_WIDTH);
}
