//! Work side by side: on as many threads as the machine has, or, where the library is built without threads,
//! one piece after the other. How work is cut never depends on the threads, so the bits are the same.

#[cfg(not(feature = "native"))]
pub(crate) use one::{current_num_threads, join, prelude, scope};
#[cfg(feature = "native")]
pub(crate) use rayon::{current_num_threads, join, prelude, scope};
#[cfg(feature = "native")]
pub use several::{MOST, start};

/// As many threads as there are to be had.
#[cfg(feature = "native")]
mod several {
    use std::io;
    use std::sync::mpsc::{Sender, channel};
    use std::thread;

    use rayon::{ThreadBuilder, ThreadPoolBuilder};

    use crate::error::{Error, Result};

    /// Environment variable that says how many threads there are to be.
    const VARIABLE: &str = "RAYON_NUM_THREADS";

    /// Most threads there may be.
    pub const MOST: usize = 1024;

    /// Starts the threads that all work is shared out to: as many as `RAYON_NUM_THREADS` says, or as the machine has. Where the
    /// system gives fewer, these; where it gives none, the thread that calls this does all the work. Then the value is a
    /// notice that says so. So many processes `sharing` the machine take a part each. Called once, by a program, before anything else: without it the first work starts them, and
    /// panics where there are none.
    ///
    /// # Errors
    /// When `RAYON_NUM_THREADS` is no number of threads, or the threads were started before.
    pub fn start(sharing: usize) -> Result<Option<String>> {
        let wanted = wanted(std::env::var(VARIABLE).ok().as_deref(), sharing)?;
        let (waiting, problem) = begun(wanted);
        let number = waiting.len().max(1);
        let builder = ThreadPoolBuilder::new().num_threads(number);
        let builder = if waiting.is_empty() { builder.use_current_thread() } else { builder };
        let mut waiting = waiting.into_iter();
        let hand_over = |work: ThreadBuilder| {
            let thread = waiting.next().ok_or_else(|| io::Error::other("more threads than were started"))?;
            thread.send(work).map_err(|_| io::Error::other("a thread has ended"))
        };
        builder
            .spawn_handler(hand_over)
            .build_global()
            .map_err(|error| Error::Failed(format!("threads cannot be started: {error}")))?;
        Ok(problem.map(|error| {
            let plural = if number == 1 { "" } else { "s" };
            format!("working on {number} thread{plural}: the system did not give {wanted} ({error})")
        }))
    }

    /// How many threads there are to be, given what the environment says and how many processes share the machine.
    fn wanted(said: Option<&str>, sharing: usize) -> Result<usize> {
        let of_machine = || (thread::available_parallelism().map_or(1, usize::from) / sharing.max(1)).clamp(1, MOST);
        let Some(said) = said.filter(|said| !said.is_empty()) else { return Ok(of_machine()) };
        match said.parse() {
            Ok(0) => Ok(of_machine()),
            Ok(number) if number <= MOST => Ok(number),
            _ => {
                let expected = format!("expected 1 to {MOST} threads, or 0 for as many as the machine has");
                Err(Error::Usage(format!("{VARIABLE}={said}: {expected}")))
            }
        }
    }

    /// Threads that wait for what they are to do, at most `wanted`, and why there are no more.
    fn begun(wanted: usize) -> (Vec<Sender<ThreadBuilder>>, Option<io::Error>) {
        let mut waiting = Vec::with_capacity(wanted);
        for number in 0..wanted {
            let (hand, take) = channel::<ThreadBuilder>();
            let work = move || {
                if let Ok(work) = take.recv() {
                    work.run();
                }
            };
            match thread::Builder::new().name(format!("worker {number}")).spawn(work) {
                Ok(_) => waiting.push(hand),
                Err(error) => return (waiting, Some(error)),
            }
        }
        (waiting, None)
    }

    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    mod tests {
        use super::*;

        #[test]
        fn the_number_of_threads_has_limits() {
            let machine = wanted(None, 1).unwrap();
            assert!((1..=MOST).contains(&machine));
            assert_eq!([wanted(None, 2).unwrap(), wanted(None, 2 * MOST).unwrap()], [(machine / 2).max(1), 1]);
            assert_eq!(wanted(Some("3"), 2).unwrap(), 3, "what was said is not shared out");
            for (said, number) in [("", machine), ("0", machine), ("1", 1), ("1024", MOST)] {
                assert_eq!(wanted(Some(said), 1).unwrap(), number, "'{said}'");
            }
            for said in ["1025", "100000", "-1", "many", "99999999999999999999999"] {
                let message = wanted(Some(said), 1).unwrap_err().to_string();
                assert!(
                    message.contains(&format!("RAYON_NUM_THREADS={said}")) && message.contains("1024"),
                    "{message}"
                );
            }
        }
    }
}

/// One thread, by the names that several have in rayon.
#[cfg(not(feature = "native"))]
mod one {
    /// Threads that work side by side.
    pub fn current_num_threads() -> usize {
        1
    }

    /// Both results, the first first.
    pub fn join<A, B>(first: impl FnOnce() -> A, second: impl FnOnce() -> B) -> (A, B) {
        (first(), second())
    }

    /// What a task returns.
    pub fn scope<R>(task: impl FnOnce(&()) -> R) -> R {
        task(&())
    }

    /// Iterators of slices and vectors, one element after the other.
    pub mod prelude {
        use std::slice::{Chunks, ChunksExactMut, ChunksMut, Iter, IterMut};

        /// Slices, whole or cut.
        pub trait Slices<T> {
            /// Its elements.
            fn par_iter(&self) -> Iter<'_, T>;
            /// Its elements, to be written.
            fn par_iter_mut(&mut self) -> IterMut<'_, T>;
            /// Pieces of so many elements, the last with what is left.
            fn par_chunks(&self, size: usize) -> Chunks<'_, T>;
            /// The same, to be written.
            fn par_chunks_mut(&mut self, size: usize) -> ChunksMut<'_, T>;
            /// Pieces of exactly so many elements, to be written.
            fn par_chunks_exact_mut(&mut self, size: usize) -> ChunksExactMut<'_, T>;
        }

        impl<T> Slices<T> for [T] {
            fn par_iter(&self) -> Iter<'_, T> {
                self.iter()
            }
            fn par_iter_mut(&mut self) -> IterMut<'_, T> {
                self.iter_mut()
            }
            fn par_chunks(&self, size: usize) -> Chunks<'_, T> {
                self.chunks(size)
            }
            fn par_chunks_mut(&mut self, size: usize) -> ChunksMut<'_, T> {
                self.chunks_mut(size)
            }
            fn par_chunks_exact_mut(&mut self, size: usize) -> ChunksExactMut<'_, T> {
                self.chunks_exact_mut(size)
            }
        }

        /// What can be gone through.
        pub trait IntoIter: IntoIterator + Sized {
            /// Its elements.
            fn into_par_iter(self) -> Self::IntoIter {
                self.into_iter()
            }
        }

        impl<T: IntoIterator> IntoIter for T {}

        /// A task that keeps something of its own.
        pub trait ForEachInit: Iterator + Sized {
            /// Hands every element to the task, with what it keeps.
            fn for_each_init<K>(self, init: impl FnOnce() -> K, mut task: impl FnMut(&mut K, Self::Item)) {
                let mut kept = init();
                self.for_each(|item| task(&mut kept, item));
            }
        }

        impl<I: Iterator> ForEachInit for I {}
    }
}
