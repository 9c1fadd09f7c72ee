// Where `batch_gather` puts four neighbours of a row whose length is a multiple of four.
alias Element = vec4<f32>;

fn store4(row: u32, word: u32, value: vec4<f32>) {
    x[row * params.words_per_row + word] = value;
}
