// Where `batch_gather` puts four neighbours of a row of any length, beside `batch_store_vec4`.
alias Element = f32;

fn store4(row: u32, word: u32, value: vec4<f32>) {
    for (var k = 0u; k < 4u; k++) {
        if 4u * word + k < params.features {
            x[row * params.features + 4u * word + k] = value[k];
        }
    }
}
