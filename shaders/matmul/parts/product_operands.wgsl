// Parameters and operands of the matrix products that take either operand transposed or not. Beside an access
// of left, right and product, which declare the elements.
struct Params {
    m: u32,
    n: u32,
    k: u32,
    activation: u32, // as in finish_…
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<LeftElement>;      // [m, k] or [k, m]
@group(0) @binding(2) var<storage, read> right: array<RightElement>;    // [n, k] or [k, n]
@group(0) @binding(3) var<storage, read_write> product: array<Element>; // [m, n]
