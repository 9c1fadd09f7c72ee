//! Work side by side: on as many threads as the machine has, or, where the library is built without threads,
//! one piece after the other. How work is cut never depends on the threads, so the bits are the same.

#[cfg(not(feature = "native"))]
pub(crate) use one::{current_num_threads, join, prelude, scope};
#[cfg(feature = "native")]
pub(crate) use rayon::{current_num_threads, join, prelude, scope};

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
