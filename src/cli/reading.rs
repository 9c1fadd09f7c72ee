//! The bar of data that is being read, wherever in a command that is.

use gpu_ae::data::found::{Listener, Reading};

use super::bar::Bar;
use super::output::complain;

/// Shows how far the reading of files is, and tells what is left out of it.
pub struct ReadingBar {
    quiet: bool,
    bar: Option<Bar>,
}

impl ReadingBar {
    /// One that has shown nothing yet; a `quiet` one never does.
    pub fn new(quiet: bool) -> Self {
        ReadingBar { quiet, bar: None }
    }
}

impl Listener for ReadingBar {
    fn reading(&mut self, Reading { done, of, unit }: Reading) {
        let quiet = self.quiet;
        let bar = self.bar.get_or_insert_with(|| Bar::new("reading", of, quiet));
        bar.at(done, &[(1, format!("{} {unit}", bar.rate(done)))]);
        if done >= of {
            self.bar = None;
        }
    }

    fn notice(&mut self, text: String) {
        if self.quiet {
            return;
        }
        match &self.bar {
            Some(bar) => bar.suspend(|| complain(&text)),
            None => complain(&text),
        }
    }
}
