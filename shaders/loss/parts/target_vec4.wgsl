// The target of `reconstruction_loss` as floats.
alias TargetElement = vec4<f32>;

fn target4(i: u32, words: u32) -> vec4<f32> {
    return target_[i];
}
