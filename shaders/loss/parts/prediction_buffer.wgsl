// The prediction of `reconstruction_loss` in its buffer.
@group(0) @binding(1) var<storage, read> prediction: array<vec4<f32>>; // [vectors]

fn prediction_at(i: u32) -> vec4<f32> {
    return prediction[i];
}
