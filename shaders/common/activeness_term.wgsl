// Activeness of a layer's neurons into workgroup memory, by one workgroup. Needs `weights`, WORKGROUP and
// NEURONS (most of a layer) of the kernel. Twin: src/ops/entropy/activeness.rs.
var<workgroup> activeness: array<f32, NEURONS>;
var<workgroup> shares: array<f32, WORKGROUP>;

fn weight_of(i: u32) -> f32 {
    return activeness[i];
}

// Activeness of the neurons from `first` on. Few neurons are shared out over the workgroup: `parts`
// invocations take a part of one neuron's weights each.
fn activeness_from(first: u32, lane: u32, place: vec4<u32>, shape: vec4<u32>, bias_weight: f32) {
    let neurons = min(shape.x - first, WORKGROUP);
    let parts = WORKGROUP / neurons;
    let i = first + lane % neurons;
    let part = lane / neurons;
    var sum = 0.0;
    if part < parts {
        for (var j = part; j < shape.y; j += parts) {
            sum += abs(weights[place.x + i * shape.z + j * shape.w]);
        }
    }
    shares[lane] = sum;
    workgroupBarrier();
    if part == 0u {
        for (var other = 1u; other < parts; other++) {
            sum += shares[other * neurons + lane];
        }
        activeness[i] = sum + bias_weight * abs(weights[place.y + i]);
    }
    workgroupBarrier();
}

// place: of W and b in `weights`; shape: neurons, weights of each, strides of neurons and weights.
fn activeness_of(lane: u32, place: vec4<u32>, shape: vec4<u32>, bias_weight: f32) {
    for (var first = 0u; first < shape.x; first += WORKGROUP) {
        activeness_from(first, lane, place, shape, bias_weight);
    }
}
