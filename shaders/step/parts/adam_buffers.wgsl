// What a step of Adam reads, from its buffers.
@group(0) @binding(3) var<storage, read> gradient: array<vec4<f32>>; // [vectors]

fn gradient_at(i: u32) -> vec4<f32> {
    return gradient[i];
}

fn weight_at(i: u32) -> vec4<f32> {
    return weight[i];
}

fn moment1_at(i: u32) -> vec4<f32> {
    return moment1[i];
}

fn moment2_at(i: u32) -> vec4<f32> {
    return moment2[i];
}
