//! A seam for tests: every change of the disk passes here, and any of them can be made to fail, or to be the last thing
//! that the process does.
//!
//! `GPU_AE_FAULT=7:error` makes the seventh change of a process fail, as on a full disk, and all that follow;
//! `GPU_AE_FAULT=7:end` ends the process instead of it, as a kill does. Builds without debug assertions, such as those
//! that people use, have no such thing.

use std::io;

/// Passes, or fails or ends the process if a test wants it so here.
///
/// # Errors
/// When a test wants one.
#[cfg(debug_assertions)]
pub(crate) fn point() -> io::Result<()> {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static WANTED: LazyLock<Option<(u64, bool)>> = LazyLock::new(|| {
        let wanted = std::env::var("GPU_AE_FAULT").ok()?;
        let (number, what) = wanted.split_once(':')?;
        Some((number.parse().ok()?, what == "end"))
    });
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let Some((number, ends)) = *WANTED else { return Ok(()) };
    let passed = PASSED.fetch_add(1, Ordering::Relaxed) + 1;
    match ends {
        true if passed == number => std::process::abort(),
        false if passed >= number => {
            Err(io::Error::new(io::ErrorKind::StorageFull, "no space left, as a test wants it"))
        }
        _ => Ok(()),
    }
}

/// Passes.
///
/// # Errors
/// Never.
#[cfg(not(debug_assertions))]
#[inline]
pub(crate) fn point() -> io::Result<()> {
    Ok(())
}
