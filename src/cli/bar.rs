//! The bar of every command that takes its time: on standard error, and only where that is a terminal.

use std::time::Instant;

use gpu_ae::report::line::{Part, fitting, remaining, time};
use indicatif::{ProgressBar, ProgressStyle};

use super::terminal::notice_width;

/// Widest bar, without its brackets.
const WIDEST: usize = 32;

/// A bar with a name before it, and behind it how much is done and how long the rest takes.
pub struct Bar {
    drawn: Option<(ProgressBar, usize)>,
    name: String,
    all: u64,
    begin: Instant,
}

impl Bar {
    /// A bar for `all` of something; `quiet` ones are never seen, nor is any where there is no terminal.
    pub fn new(name: &str, all: u64, quiet: bool) -> Self {
        let drawn = notice_width().filter(|_| !quiet).map(|columns| {
            let template = format!("{{prefix}} [{{bar:{}}}] {{percent:>3}}%  {{msg}}", bar_width(columns));
            let style = ProgressStyle::with_template(&template);
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
            (ProgressBar::new(all).with_style(style).with_prefix(name.to_string()), columns)
        });
        Bar { drawn, name: name.to_string(), all, begin: Instant::now() }
    }

    /// Whether there is anybody to see it.
    pub fn is_seen(&self) -> bool {
        self.drawn.is_some()
    }

    /// Begins again, for so much of something else.
    pub fn restart(&mut self, name: &str, all: u64) {
        (self.name, self.all, self.begin) = (name.to_string(), all, Instant::now());
        if let Some((bar, _)) = &self.drawn {
            bar.set_length(all);
            bar.set_prefix(self.name.clone());
            bar.set_message("");
            bar.set_position(0);
        }
    }

    /// Goes on under another name.
    pub fn rename(&mut self, name: &str) {
        self.name = name.to_string();
        if let Some((bar, _)) = &self.drawn {
            bar.set_prefix(self.name.clone());
        }
    }

    /// How much was done a second so far, in words.
    pub fn rate(&self, done: u64) -> String {
        let seconds = self.begin.elapsed().as_secs_f64().max(1e-3);
        format!("{:.0}/s", done as f64 / seconds)
    }

    /// So much is done; how long the rest takes follows from the time so far.
    pub fn at(&self, done: u64, further: &[Part]) {
        let left = remaining(self.begin.elapsed(), done, self.all).map(|rest| format!("{} left", time(rest)));
        let parts: Vec<Part> = left.into_iter().map(|left| (0, left)).chain(further.iter().cloned()).collect();
        self.show(done, &parts);
    }

    /// So much is done, and this is what there is to say of it, as far as it fits into the line.
    pub fn show(&self, done: u64, parts: &[Part]) {
        let Some((bar, columns)) = &self.drawn else { return };
        // Brackets, percents and the spaces between them; a line that is full to the last column would be wrapped.
        let taken = self.name.chars().count() + bar_width(*columns) + " [] 100%  ".len() + 1;
        bar.set_position(done);
        bar.set_message(fitting(parts, Some(columns.saturating_sub(taken))));
    }

    /// Prints something while the bar is out of the way.
    pub fn suspend(&self, print: impl FnOnce()) {
        match &self.drawn {
            Some((bar, _)) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Bar {
    /// Takes the bar away.
    fn drop(&mut self) {
        if let Some((bar, _)) = &self.drawn {
            bar.finish_and_clear();
        }
    }
}

/// Columns of the bar itself on a terminal of so many.
fn bar_width(columns: usize) -> usize {
    (columns / 5).min(WIDEST)
}
