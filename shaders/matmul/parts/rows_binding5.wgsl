// Row numbers of the batch, for a gathered operand of a kernel with 4 bindings of its own.
@group(0) @binding(5) var<storage, read> rows: array<u32>; // [batch]

const PADDING: u32 = 0xFFFFFFFFu;
