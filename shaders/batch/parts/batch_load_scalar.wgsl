// Where `batch_gather` takes four neighbours of a row of floats of any length from, beside `batch_load_vec4`; what lies
// beyond the row is 0.
alias DataElement = f32;

fn load4(row: u32, word: u32) -> vec4<f32> {
    var value = vec4<f32>();
    for (var k = 0u; k < 4u; k++) {
        if 4u * word + k < params.features {
            value[k] = data[row * params.features + 4u * word + k];
        }
    }
    return value;
}
