//! `--tui`: a run on the whole screen of the terminal while it trains. A thread draws what the run tells, ten times a second at
//! most; what would have been printed is printed when the screen is given back.

mod keys;
mod network;
mod screen;
mod seen;

use std::io::{IsTerminal, stdout};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use gpu_ae::train::Event;

use super::interrupt::{Held, Signals};
use super::launch::Launched;
use super::output::{complain, tell};
use screen::Terminal;
use seen::Seen;

/// What is to be printed when the terminal is given back.
enum Kept {
    Result(String),
    Notice(String),
}

/// What the run tells, for the thread that draws it.
#[derive(Default)]
struct Shared(Mutex<Told>);

#[derive(Default)]
struct Told {
    seen: Seen,
    /// Whether there is something new to draw.
    is_new: bool,
    is_over: bool,
}

impl Shared {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        let mut told = self.told();
        change(&mut told.seen);
        told.is_new = true;
    }
}

/// A run on the whole screen.
pub struct View {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    kept: Vec<Kept>,
}

impl View {
    /// Takes the terminal for a run that is about to train; nothing where results do not go to one, or where it cannot be drawn
    /// on, which is told.
    pub fn open(launched: &mut Launched, signals: &Signals) -> Option<Self> {
        if !stdout().is_terminal() {
            return None;
        }
        let shared = Arc::new(Shared::default());
        shared.change(|seen| *seen = Seen::of(launched));
        let (held, drawn) = (signals.hold(), Arc::clone(&shared));
        let opened = Terminal::take().and_then(|terminal| {
            Builder::new().name("screen".into()).spawn(move || keys::watch(terminal, &drawn, &held))
        });
        match opened {
            Ok(thread) => {
                network::show(launched, &shared);
                Some(View { shared, thread: Some(thread), kept: Vec::new() })
            }
            Err(error) => {
                complain(&format!("warning: --tui: the terminal cannot be drawn on: {error}"));
                None
            }
        }
    }

    /// Shows what the run tells.
    pub fn show(&self, event: &Event<'_>) {
        self.shared.change(|seen| seen.hear(event));
    }

    /// Keeps a line about how things are going.
    pub fn tell(&mut self, text: &str) {
        self.kept.push(Kept::Result(text.into()));
    }

    /// Keeps a notice.
    pub fn complain(&mut self, text: &str) {
        self.kept.push(Kept::Notice(text.into()));
    }

    /// Shows and keeps a warning.
    pub fn warn(&mut self, text: &str) {
        self.shared.change(|seen| seen.warn(text));
        self.complain(&format!("warning: {text}"));
    }
}

impl Drop for View {
    /// Gives the terminal back, with what the run has told on it.
    fn drop(&mut self) {
        self.shared.told().is_over = true;
        if let Some(thread) = self.thread.take() {
            // What it fails at, the terminal is given back.
            let _ = thread.join();
        }
        for kept in self.kept.drain(..) {
            match kept {
                Kept::Result(text) => tell(&text),
                Kept::Notice(text) => complain(&text),
            }
        }
    }
}
