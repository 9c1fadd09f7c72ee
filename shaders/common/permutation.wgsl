// The image of `index` under a keyed bijection of 0..n: a Feistel network over the smallest even
// number of bits that holds n, walked until it falls below n. Twin of `permute` in src/rng.rs.
// Needs threefry.
fn permute(index: u32, n: u32, key: vec2<u32>) -> u32 {
    if n <= 1u {
        return 0u;
    }
    let bits = 32u - countLeadingZeros(n - 1u);
    let half = (bits + 1u) / 2u;
    let mask = (1u << half) - 1u;
    var value = index;
    // The walk follows a cycle of the permutation through `index` itself, so it ends.
    loop {
        var left = value >> half;
        var right = value & mask;
        for (var round = 0u; round < 4u; round++) {
            let mixed = threefry2x32(key, vec2<u32>(right, round)).x & mask;
            let next = left ^ mixed;
            left = right;
            right = next;
        }
        value = (left << half) | right;
        if value < n {
            break;
        }
    }
    return value;
}
