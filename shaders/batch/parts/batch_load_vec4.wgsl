// Where `batch_gather` takes four neighbours of a row of floats from whose length is a multiple of four.
alias DataElement = vec4<f32>;

fn load4(row: u32, word: u32) -> vec4<f32> {
    return data[row * params.words_per_row + word];
}
