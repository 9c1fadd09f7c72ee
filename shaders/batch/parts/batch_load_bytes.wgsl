// Where `batch_gather` takes four neighbours of a row of bytes from: x = byte / 255.
alias DataElement = u32;

fn load4(row: u32, word: u32) -> vec4<f32> {
    return unpack4x8unorm(data[row * params.words_per_row + word]);
}
