//! Counter-based random numbers: Threefry-2x32-20, twin of `shaders/common/threefry.wgsl`.
//!
//! Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
//! A draw is a pure function of (key, counter), so the same bits come out on every device, in any
//! order, with any number of threads, and a resumed run continues exactly where it stopped.

const ROTATIONS: [u32; 8] = [13, 15, 26, 6, 17, 29, 16, 24];
const PARITY: u32 = 0x1BD1_1BDA;

/// Twenty rounds of Threefry-2x32: 64 random bits for `counter` under `key`.
pub fn threefry2x32(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    let [[first], [second]] = threefry_lanes(key, counter.map(|word| [word]));
    [first, second]
}

/// The same for several counters side by side, which a compiler can do in wide registers.
#[inline(always)]
pub(crate) fn threefry_lanes<const N: usize>(key: [u32; 2], counters: [[u32; N]; 2]) -> [[u32; N]; 2] {
    let schedule = [key[0], key[1], PARITY ^ key[0] ^ key[1]];
    let [mut a, mut b] = counters;
    for lane in 0..N {
        a[lane] = a[lane].wrapping_add(key[0]);
        b[lane] = b[lane].wrapping_add(key[1]);
    }
    for round in 0..20 {
        for lane in 0..N {
            a[lane] = a[lane].wrapping_add(b[lane]);
            b[lane] = b[lane].rotate_left(ROTATIONS[round % 8]) ^ a[lane];
        }
        if round % 4 == 3 {
            let injection = round / 4 + 1;
            for lane in 0..N {
                a[lane] = a[lane].wrapping_add(schedule[injection % 3]);
                b[lane] = b[lane].wrapping_add(schedule[(injection + 1) % 3]).wrapping_add(injection as u32);
            }
        }
    }
    [a, b]
}

/// A uniform number in [0, 1) from the upper 24 bits of a word: exact in f32.
pub fn unit_f32(bits: u32) -> f32 {
    (bits >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// What a sequence of random numbers is for. Streams of one seed are independent of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stream {
    /// Initial parameters.
    Init = 1,
    /// Order of the samples within an epoch.
    Shuffle = 2,
    /// The drawing of built-in data.
    Data = 3,
    /// Draws inside a training step.
    Step = 4,
    /// Initial parameters of the layer of log-variances.
    Latent = 5,
    /// Patterns to be stored, and what is flipped in them.
    Patterns = 6,
    /// Which rows have a label that is known.
    Labels = 7,
    /// Which training rows are set aside for validation.
    Validation = 8,
    /// Which rows are tested with where the data does not say.
    Test = 9,
    /// Codes and images made of a trained network.
    Generate = 16,
    /// Where attacks on a network begin and what they try, and noise that it is looked at through.
    Attack = 24,
}

/// The Threefry key of one stream of a run's seed.
pub fn stream_key(seed: u64, stream: Stream) -> [u32; 2] {
    threefry2x32([seed as u32, (seed >> 32) as u32], [stream as u32, 0x6761_6531])
}

/// A sequential reader of one stream, for host-side work.
#[derive(Clone, Debug)]
pub struct Rng {
    key: [u32; 2],
    counter: u64,
    spare: Option<u32>,
}

impl Rng {
    /// Starts at the beginning of the sequence of `key`.
    pub fn new(key: [u32; 2]) -> Self {
        Rng { key, counter: 0, spare: None }
    }

    /// The next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if let Some(word) = self.spare.take() {
            return word;
        }
        let counter = [self.counter as u32, (self.counter >> 32) as u32];
        self.counter += 1;
        let [first, second] = threefry2x32(self.key, counter);
        self.spare = Some(second);
        first
    }

    /// Uniform in [0, 1), a multiple of 2⁻²⁴.
    pub fn uniform(&mut self) -> f32 {
        unit_f32(self.next_u32())
    }

    /// Uniform in [low, high).
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.uniform()
    }

    /// Standard normal, by Box and Muller; of the two that a draw of two words gives, the first.
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = (1.0 - f64::from(self.uniform()), f64::from(self.uniform()));
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }

    /// Uniform integer in 0..n (n > 0), by multiply-shift; the bias is below n / 2³².
    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.next_u32()) * u64::from(n)) >> 32) as u32
    }
}

/// Rounds of the Feistel network in [`permute`].
pub const FEISTEL_ROUNDS: u32 = 4;

/// The image of `index` under a keyed bijection of 0..n: the order of an epoch without a sort or a
/// table. Twin of `permute` in `shaders/common/permutation.wgsl`.
///
/// A balanced Feistel network over the smallest even number of bits that holds n, its round
/// function Threefry, applied until the value falls below n (cycle walking; under four rounds of
/// walking on average, since the domain is less than 4n).
pub fn permute(index: u32, n: u32, key: [u32; 2]) -> u32 {
    permute_lanes([index], n, key)[0]
}

/// The images of several indices.
#[inline(always)]
pub fn permute_lanes<const N: usize>(indices: [u32; N], n: u32, key: [u32; 2]) -> [u32; N] {
    if n <= 1 {
        return [0; N];
    }
    let half = (32 - (n - 1).leading_zeros()).div_ceil(2);
    let mask = (1u32 << half) - 1;
    let mut values = indices;
    let mut walking = [true; N];
    while walking.contains(&true) {
        let (mut left, mut right) = (values.map(|value| value >> half), values.map(|value| value & mask));
        for round in 0..FEISTEL_ROUNDS {
            let [mixed, _] = threefry_lanes(key, [right, [round; N]]);
            for lane in 0..N {
                (left[lane], right[lane]) = (right[lane], left[lane] ^ (mixed[lane] & mask));
            }
        }
        for lane in 0..N {
            if walking[lane] {
                values[lane] = (left[lane] << half) | right[lane];
                walking[lane] = values[lane] >= n;
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threefry_matches_the_published_random123_vectors() {
        let ones = u32::MAX;
        let cases = [
            ([0, 0], [0, 0], [0x6b20_0159, 0x99ba_4efe]),
            ([ones, ones], [ones, ones], [0x1cb9_96fc, 0xbb00_2be7]),
            ([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3], [0xc492_3a9c, 0x483d_f7a0]),
        ];
        for (key, counter, expected) in cases {
            assert_eq!(threefry2x32(key, counter), expected);
        }
    }

    #[test]
    fn permute_is_a_bijection_for_ragged_sizes() {
        for n in [1u32, 2, 3, 4, 5, 16, 17, 127, 1000, 4097] {
            let mut seen = vec![false; n as usize];
            for i in 0..n {
                let j = permute(i, n, [7, n]) as usize;
                assert!(!seen[j], "{j} appears twice among {n}");
                seen[j] = true;
            }
        }
    }

    #[test]
    fn permutations_of_different_keys_differ_and_scatter() {
        let n = 60_000;
        let fixed = (0..n).filter(|&i| permute(i, n, [1, 2]) == permute(i, n, [1, 3])).count();
        assert!(fixed < 20, "{fixed} of {n} positions agree; chance gives about one");
        let near = (1..n).filter(|&i| permute(i, n, [1, 2]).abs_diff(permute(i - 1, n, [1, 2])) < 60).count();
        assert!((60..200).contains(&near), "{near} neighbours stay near; chance gives about 120");
    }

    #[test]
    fn uniform_numbers_fill_the_unit_interval() {
        let mut rng = Rng::new(stream_key(1, Stream::Data));
        let draws: Vec<f32> = (0..10_000).map(|_| rng.uniform()).collect();
        let mean = draws.iter().sum::<f32>() / draws.len() as f32;
        assert!(draws.iter().all(|u| (0.0..1.0).contains(u)));
        assert!((mean - 0.5).abs() < 0.012, "mean {mean}, four standard errors are 0.0115");
    }

    #[test]
    fn normal_numbers_have_the_moments_of_the_standard_gaussian() {
        let mut rng = Rng::new(stream_key(3, Stream::Generate));
        let draws: Vec<f64> = (0..100_000).map(|_| rng.normal()).collect();
        let moment = |power: i32| draws.iter().map(|x| x.powi(power)).sum::<f64>() / draws.len() as f64;
        for (power, expected, allowed) in [(1, 0.0, 0.015), (2, 1.0, 0.02), (3, 0.0, 0.06), (4, 3.0, 0.15)] {
            assert!((moment(power) - expected).abs() < allowed, "moment {power}: {}", moment(power));
        }
    }
}
