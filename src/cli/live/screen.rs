//! The terminal as a whole screen: taken, drawn on, and given back as it was, whatever happens.

use std::io::{BufWriter, Result as IoResult, Stdout, Write, stdout};
use std::panic::{set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use gpu_ae::report::screen::{Screen, draw};
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};

/// Bytes of a drawing that are written at once.
const DRAWN: usize = 1 << 16;

/// Whether the terminal is drawn on; who changes it gives the terminal back.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// A terminal that is drawn on, for as long as this lives.
pub(super) struct Terminal {
    // First, since what it leaves undone is the screen's.
    drawn: ratatui::Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    _taken: Taken,
}

/// What gives the terminal back.
struct Taken;

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

impl Terminal {
    /// Takes the terminal; what it showed is there again when it is given back.
    pub fn take() -> IoResult<Self> {
        give_back_on_panic();
        enable_raw_mode()?;
        IS_TAKEN.store(true, Ordering::SeqCst);
        let taken = Taken;
        let mut out = BufWriter::with_capacity(DRAWN, stdout());
        execute!(out, EnterAlternateScreen, Hide)?;
        let drawn = ratatui::Terminal::new(CrosstermBackend::new(out))?;
        Ok(Terminal { drawn, _taken: taken })
    }

    /// Draws what has changed, at the size that the terminal has now.
    pub fn draw(&mut self, screen: &Screen) -> IoResult<()> {
        self.drawn.draw(|frame| draw(screen, frame.area(), frame.buffer_mut())).map(|_| ())
    }
}

/// Gives the terminal back, once, though nobody listens any more.
fn give_back() {
    if IS_TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = stdout().lock();
        let _ = execute!(out, LeaveAlternateScreen, Show).and_then(|()| out.flush());
        let _ = disable_raw_mode();
    }
}

/// A panic's message belongs on the screen that stays.
fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
    });
}
