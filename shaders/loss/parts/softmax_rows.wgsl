// What the losses of rows of logits and their gradients share, beside `softmax_labels` or `softmax_pair`.
struct Params {
    m: u32,
    n: u32,
    rows_per_sample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> clock: array<u32>; // [16]

const WORKGROUP: u32 = 64u;
