// The batch's pixels into a tile, for `network_pass`. Needs network_tile and batch_row.
var<workgroup> tile_rows: array<u32, TILE>;

// Pixels into the first neurons, zeros for padding.
fn gather(lane: u32, first: u32) {
    if lane < TILE {
        tile_rows[lane] = PADDING;
        if first + lane < params.batch {
            let row = batch_row(first + lane);
            rows[first + lane] = row;
            tile_rows[lane] = row;
        }
    }
    workgroupBarrier();
    let words = params.features / 4u;
    for (var word = lane; word < words; word += WORKGROUP) {
        var pixels: array<Samples, 4>;
        for (var s = 0u; s < TILE; s++) {
            if tile_rows[s] != PADDING {
                let four = unpack4x8unorm(data[tile_rows[s] * words + word]);
                for (var c = 0u; c < 4u; c++) {
                    pixels[c][s] = four[c];
                }
            }
        }
        for (var c = 0u; c < 4u; c++) {
            neurons[4u * word + c] = pixels[c];
        }
    }
    workgroupBarrier();
}
