// Parameters and operands of the matrix products that take either operand transposed or not. Beside an access
// of left, right and product, which declare the elements.
struct Params {
    m: u32,
    n: u32,
    k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// Binding 1 is left: [m, k] or [k, m]
// Binding 2 is right: [n, k] or [k, n]
@group(0) @binding(3) var<storage, read_write> product: array<Element>; // [m, n]
