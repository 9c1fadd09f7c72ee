// Row numbers of the batch, for a gathered operand of a kernel with 3 bindings of its own.
@group(0) @binding(4) var<storage, read> rows: array<u32>; // [batch]

const PADDING: u32 = 0xFFFFFFFFu;
