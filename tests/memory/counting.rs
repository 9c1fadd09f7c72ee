//! The system's memory, and what anyone asks of it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

static REQUESTS: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST_HELD: AtomicUsize = AtomicUsize::new(0);
static TURN: Mutex<()> = Mutex::new(());

fn asked(bytes: usize, instead: usize) {
    REQUESTS.fetch_add(1, Relaxed);
    LARGEST.fetch_max(bytes, Relaxed);
    HELD.fetch_sub(instead, Relaxed);
    MOST_HELD.fetch_max(HELD.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: every request is handed on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        asked(layout.size(), 0);
        // SAFETY: the caller's promises are those that the system asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        asked(layout.size(), 0);
        // SAFETY: the caller's promises are those that the system asks for.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        asked(size, layout.size());
        // SAFETY: the memory came from the system, with this layout.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the memory came from the system, with this layout.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// What was asked of the system.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// How often.
    pub requests: usize,
    /// Bytes of the largest request.
    pub largest: usize,
    /// Most bytes that were held at once, of those that were asked for meanwhile.
    pub held: usize,
}

/// Lets one test measure at a time: they count what all threads do.
pub fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What some work gives, and what it asks for.
pub fn measured<T>(work: impl FnOnce() -> T) -> (T, Asked) {
    let (requests, held) = (REQUESTS.load(Relaxed), HELD.load(Relaxed));
    LARGEST.store(0, Relaxed);
    MOST_HELD.store(held, Relaxed);
    let done = work();
    let held = MOST_HELD.load(Relaxed) - held;
    (done, Asked { requests: REQUESTS.load(Relaxed) - requests, largest: LARGEST.load(Relaxed), held })
}
