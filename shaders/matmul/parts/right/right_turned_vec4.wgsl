// The weights [O, TAPS, C] of a convolution as the right operand [TAPS · O, C] of its input's gradient: row k is what
// channel k % CHANNELS of the results has at tap k / CHANNELS. `right_turned_scalar` is the twin for any number of channels.
alias RightElement = vec4<f32>;

fn right_start(row: u32) -> u32 {
    return (row % CHANNELS) * TAPS + row / CHANNELS;
}

fn right4(row: u32, length: u32, v: u32) -> vec4<f32> {
    return right_at(row * (length / 4u) + v);
}
