// Jacobi's method for the symmetric matrix a [n, n] of a kernel that declares it, with eigenvectors in the columns
// of v [n, n]: the pairs of a round-robin tournament, whose rotations are disjoint within a round, so that every
// 2 x 2 block of the matrix belongs to one invocation. Order and rounding never change.
var<workgroup> rotations: array<vec2<f32>, 96>; // cosine and sine of every pair: up to 192 columns

// Pair k of a round; of an odd number of columns one meets column n, which does not exist.
fn pair(k: u32, round: u32, players: u32) -> vec2<u32> {
    let others = players - 1u;
    return vec2<u32>(select((round + k) % others, others, k == 0u), (round + others - k) % others);
}

fn at(i: u32, j: u32) -> f32 {
    if i < params.n && j < params.n {
        return a[i * params.n + j];
    }
    return 0.0;
}

fn put(i: u32, j: u32, value: f32) {
    if i < params.n && j < params.n {
        a[i * params.n + j] = value;
    }
}

// The rotation that makes a[p, q] zero; none where that is lost in rounding already.
fn rotation(p: u32, q: u32) -> vec2<f32> {
    let beside = at(p, q);
    if abs(beside) <= 0.01 * EPSILON * (abs(at(p, p)) + abs(at(q, q))) {
        return vec2<f32>(1.0, 0.0);
    }
    let tau = (at(q, q) - at(p, p)) / (2.0 * beside);
    let tangent = select(-1.0, 1.0, tau >= 0.0) / (abs(tau) + sqrt(1.0 + tau * tau));
    let cosine = 1.0 / sqrt(1.0 + tangent * tangent);
    return vec2<f32>(cosine, cosine * tangent);
}

// x and y after a rotation.
fn turned(r: vec2<f32>, x: f32, y: f32) -> vec2<f32> {
    return vec2<f32>(r.x * x - r.y * y, r.y * x + r.x * y);
}

// Turns rows and columns of `a` and columns of `v` by the rotations of a round.
fn turn(lane: u32, round: u32, players: u32) {
    let pairs = players / 2u;
    for (var block = lane; block < pairs * pairs; block += WORKGROUP) {
        let of_rows = block / pairs;
        let of_columns = block - of_rows * pairs;
        let i = pair(of_rows, round, players);
        let j = pair(of_columns, round, players);
        let left = turned(rotations[of_rows], at(i.x, j.x), at(i.y, j.x));
        let right = turned(rotations[of_rows], at(i.x, j.y), at(i.y, j.y));
        let upper = turned(rotations[of_columns], left.x, right.x);
        let lower = turned(rotations[of_columns], left.y, right.y);
        let other = of_rows != of_columns;
        put(i.x, j.x, upper.x);
        put(i.x, j.y, select(0.0, upper.y, other));
        put(i.y, j.x, select(0.0, lower.x, other));
        put(i.y, j.y, lower.y);
    }
    for (var item = lane; item < params.n * pairs; item += WORKGROUP) {
        let row = (item / pairs) * params.n;
        let j = pair(item % pairs, round, players);
        if max(j.x, j.y) < params.n {
            let both = turned(rotations[item % pairs], v[row + j.x], v[row + j.y]);
            v[row + j.x] = both.x;
            v[row + j.y] = both.y;
        }
    }
}

// One sweep over all pairs, by all invocations.
fn sweep(lane: u32) {
    let players = params.n + params.n % 2u;
    for (var round = 0u; round + 1u < players; round++) {
        for (var k = lane; 2u * k < players; k += WORKGROUP) {
            let columns = pair(k, round, players);
            rotations[k] = rotation(columns.x, columns.y);
        }
        workgroupBarrier();
        turn(lane, round, players);
        storageBarrier();
        workgroupBarrier();
    }
}
