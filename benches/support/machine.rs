//! The machine that figures are of, and how quiet it is.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// Share of the processors in other use beyond which a figure is suspect.
const LOUD: f64 = 0.15;

/// Waits a few seconds for other work to end; the share of the processors that is still in use, 0 where that cannot be told.
pub fn wait_for_quiet() -> f64 {
    let mut share = busy();
    for _ in 0..3 {
        if share <= LOUD {
            break;
        }
        sleep(Duration::from_millis(600));
        share = busy();
    }
    share
}

/// What is to be said of such a share, if anything.
pub fn beside(busy: f64) -> String {
    if busy > LOUD { format!(", beside {:.0} % of other load", busy * 100.0) } else { String::new() }
}

fn busy() -> f64 {
    let Some(before) = times() else { return 0.0 };
    sleep(Duration::from_millis(400));
    let Some(after) = times() else { return 0.0 };
    1.0 - (after[1] - before[1]) / (after[0] - before[0]).max(1.0)
}

/// Time of all processors, and what of it they were idle.
fn times() -> Option<[f64; 2]> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let words: Vec<f64> =
        text.lines().next()?.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    Some([words.iter().sum(), words.get(3)? + words.get(4)?])
}

/// Processor with its widest instructions, date, version and commit, in words.
pub fn told() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?.to_string();
        Some(line.split_once(':')?.1.trim().to_string())
    });
    let processor = processor.unwrap_or(std::env::consts::ARCH.into());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success());
        output.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    let date = said("date", &["+%Y-%m-%d"]);
    let commit = said("git", &["describe", "--always", "--dirty"]);
    format!("{threads} threads of {processor}, {}; {date}, version {} at {commit}", widest(), env!("CARGO_PKG_VERSION"))
}

/// What `GPU_AE_MAX_ISA` allows, or else what there is.
fn widest() -> String {
    std::env::var("GPU_AE_MAX_ISA").unwrap_or_else(|_| detected().into())
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn detected() -> &'static str {
    match [is_x86_feature_detected!("avx512f"), is_x86_feature_detected!("avx2")] {
        [true, _] => "AVX-512",
        [_, true] => "AVX2",
        _ => "SSE",
    }
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn detected() -> &'static str {
    "128-bit vectors"
}
