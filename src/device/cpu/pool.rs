//! Memory that kernels work in and leave nothing in: one runs at a time, so all of the process share it.

use std::sync::Mutex;

use super::memory::Words;

/// Buffers that nobody works in.
pub(in crate::device) struct Pool(Mutex<Vec<Words>>);

impl Pool {
    /// One without a buffer.
    pub const fn new() -> Self {
        Pool(Mutex::new(Vec::new()))
    }

    /// Sees to it that there are so many buffers of at least so many words, so that none has to be asked for later; those that are
    /// too small give way to them.
    pub fn reserve(&self, count: usize, words: usize) {
        let Ok(mut free) = self.0.lock() else { return };
        let fitting = free.iter().filter(|own| own.len() >= words).count();
        for _ in fitting..count {
            if let Some(small) = free.iter().position(|own| own.len() < words) {
                free.swap_remove(small);
            }
            free.push(Words::zeros(words));
        }
    }

    /// Gives `task` so many words, whatever they hold. Whoever finds none makes them, which only one device beside another has to.
    pub fn with<R>(&self, words: usize, task: impl FnOnce(&mut [f32]) -> R) -> R {
        let fitting = |free: &mut Vec<Words>| {
            let place = free.iter().position(|own| own.len() >= words)?;
            Some(free.swap_remove(place))
        };
        let found = self.0.lock().ok().and_then(|mut free| fitting(&mut free));
        let mut own = found.unwrap_or_else(|| Words::zeros(words));
        let result = task(&mut own.floats_mut()[..words]);
        if let Ok(mut free) = self.0.lock() {
            free.push(own);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_reserved_is_given_out_and_comes_back() {
        let pool = Pool::new();
        pool.reserve(2, 10);
        pool.reserve(2, 40);
        pool.reserve(1, 20);
        let lengths = || -> Vec<usize> {
            pool.0.lock().map(|free| free.iter().map(|own| own.len()).collect()).unwrap_or_default()
        };
        assert_eq!(lengths(), [40, 40]);
        let inside = pool.with(30, |words| pool.with(5, |few| (few.len(), words.len(), lengths().len())));
        assert_eq!(inside, (5, 30, 0));
        assert_eq!(lengths(), [40, 40]);
    }
}
