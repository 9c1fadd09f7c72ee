// The weights of a convolution turned, as in `right_turned_vec4`, for rows of any length: zeros past a row's end.
alias RightElement = f32;

fn right_start(row: u32) -> u32 {
    return (row % CHANNELS) * TAPS + row / CHANNELS;
}

fn right4(row: u32, length: u32, v: u32) -> vec4<f32> {
    var value = vec4<f32>();
    for (var c = 0u; c < 4u; c++) {
        let column = 4u * v + c;
        let element = right_at(row * length + min(column, length - 1u));
        value[c] = select(0.0, element, column < length);
    }
    return value;
}
