//! How many cases a test has that makes its own: a few in an ordinary run, and as many as `PROPTEST_CASES` says in a long
//! one. `PROPTEST_CASES=10000` is what every reader of files is proved with.

use proptest::test_runner::{Config, RngSeed};

/// As many cases as are asked for, or else the usual number; the same ones every time.
pub fn cases(usual: u32) -> Config {
    let expected = "PROPTEST_CASES: expected a number of cases, such as 10000";
    let asked = std::env::var("PROPTEST_CASES").ok().map(|asked| asked.parse().expect(expected));
    Config {
        cases: asked.unwrap_or(usual),
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..Config::default()
    }
}
