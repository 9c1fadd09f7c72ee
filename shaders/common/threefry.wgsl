// Threefry-2x32-20: 64 random bits for a counter under a key (Salmon et al., SC 2011).
// Twin of `threefry2x32` in src/rng.rs.
fn threefry_rotate(x: u32, bits: u32) -> u32 {
    return (x << bits) | (x >> (32u - bits));
}

fn threefry_four(x: vec2<u32>, rotations: vec4<u32>) -> vec2<u32> {
    var y = x;
    y.x += y.y;
    y.y = threefry_rotate(y.y, rotations.x) ^ y.x;
    y.x += y.y;
    y.y = threefry_rotate(y.y, rotations.y) ^ y.x;
    y.x += y.y;
    y.y = threefry_rotate(y.y, rotations.z) ^ y.x;
    y.x += y.y;
    y.y = threefry_rotate(y.y, rotations.w) ^ y.x;
    return y;
}

fn threefry2x32(key: vec2<u32>, counter: vec2<u32>) -> vec2<u32> {
    let parity = 0x1BD11BDAu ^ key.x ^ key.y;
    let even = vec4<u32>(13u, 15u, 26u, 6u);
    let odd = vec4<u32>(17u, 29u, 16u, 24u);
    var x = counter + key;
    x = threefry_four(x, even) + vec2<u32>(key.y, parity + 1u);
    x = threefry_four(x, odd) + vec2<u32>(parity, key.x + 2u);
    x = threefry_four(x, even) + vec2<u32>(key.x, key.y + 3u);
    x = threefry_four(x, odd) + vec2<u32>(key.y, parity + 4u);
    x = threefry_four(x, even) + vec2<u32>(parity, key.x + 5u);
    return x;
}
