//! The thread that has the terminal: it draws what is new, hears keys, and gives the terminal back when the run is over or is
//! asked to end.

use std::io::Result as IoResult;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read};
use signal_hook::consts::SIGINT;
use signal_hook::low_level::raise;

use super::screen::Terminal;
use super::{Held, Shared};

/// Least time between two drawings.
const FRAME: Duration = Duration::from_millis(100);
/// Longest wait for a key, after which is looked for what else there is.
const LOOKED: Duration = Duration::from_millis(50);
/// Time after which all is drawn again though nothing is new: a terminal may have another size and not have told.
const STALE: Duration = Duration::from_secs(2);

/// Draws and listens until there is nothing more to show. The second signal ends the process only when the terminal has been
/// given back.
pub(super) fn watch(mut terminal: Terminal, shared: &Shared, held: &Held) {
    // Of a terminal that has gone there is nothing more to say; the run goes on.
    let _ = until_over(&mut terminal, shared, held);
}

fn until_over(terminal: &mut Terminal, shared: &Shared, held: &Held) -> IoResult<()> {
    let (mut drawn, mut is_new, mut listens) = (None::<Instant>, true, true);
    while held.signal().is_none() {
        let told = {
            let mut told = shared.told();
            if told.is_over {
                break;
            }
            is_new |= std::mem::take(&mut told.is_new);
            let rested = drawn.is_none_or(|at| at.elapsed() >= FRAME);
            let is_due = rested && (is_new || drawn.is_none_or(|at| at.elapsed() >= STALE));
            is_due.then(|| told.seen.screen().clone())
        };
        if let Some(screen) = told {
            terminal.draw(&screen)?;
            (drawn, is_new) = (Some(Instant::now()), false);
        }
        if listens {
            match heard() {
                Ok(Heard::Nothing) => {}
                Ok(Heard::Resize) => is_new = true,
                Ok(Heard::End) => raise(SIGINT)?,
                Err(_) => listens = false,
            }
        } else {
            // Without a keyboard there are signals.
            std::thread::sleep(LOOKED);
        }
    }
    Ok(())
}

/// What came of a wait for keys.
enum Heard {
    Nothing,
    Resize,
    End,
}

fn heard() -> IoResult<Heard> {
    if !poll(LOOKED)? {
        return Ok(Heard::Nothing);
    }
    Ok(match read()? {
        Event::Resize(..) => Heard::Resize,
        Event::Key(key) if ends(key) => Heard::End,
        _ => Heard::Nothing,
    })
}

/// Whether a key asks the run to end: q, or Ctrl-C, which a terminal that is drawn on hands on as any other key.
fn ends(key: KeyEvent) -> bool {
    let is_down = key.kind == KeyEventKind::Press;
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    let is_q = matches!(key.code, KeyCode::Char('q' | 'Q')) && !is_control;
    is_down && (is_q || is_control && key.code == KeyCode::Char('c'))
}
