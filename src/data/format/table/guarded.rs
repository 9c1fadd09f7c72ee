//! Work of a crate that panics at damaged input, where the answer to a stranger's file must be an error.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread does such work.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// What the work gives, or what it said when it panicked, of which nothing is printed. What the work changed is not looked
/// at again by those who call this.
///
/// The crate `parquet` checks a file as it decodes it, yet some lengths of damaged pages only by assertions; there is no
/// way to ask it for an error. Nothing else in this program catches a panic.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                before(info);
            }
        }));
    });
    GUARDED.set(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    done.map_err(|said| {
        let text = said.downcast_ref::<&str>().map(|text| text.to_string());
        text.or_else(|| said.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it gave no reason".into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_what_it_said() {
        assert_eq!(guarded(|| 3), Ok(3));
        let index = std::hint::black_box(5);
        assert!(guarded(|| [1, 2][index]).is_err_and(|said| said.contains("out of bounds")));
    }
}
