//! Ctrl-C and SIGTERM while a run trains: the first ends it with a checkpoint of the step it is at, a second one at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gpu_ae::train::Interrupt;
use gpu_ae::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown, register_usize};

/// For as long as it lives, signals are asked of a run.
pub struct Signals {
    interrupt: Interrupt,
    /// Whether the next signal ends the process at once.
    at_once: Arc<AtomicBool>,
}

impl Signals {
    /// From now on the first signal is the run's to obey.
    pub fn listen() -> Result<Self> {
        let interrupt = Interrupt::default();
        let at_once = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal arms what the second one then finds.
            let registered = register_conditional_shutdown(signal, 128 + signal, Arc::clone(&at_once))
                .and_then(|_| register_usize(signal, interrupt.flag(), signal.unsigned_abs() as usize))
                .and_then(|_| register(signal, Arc::clone(&at_once)));
            registered.map_err(|error| Error::Failed(format!("signals cannot be listened to: {error}")))?;
        }
        Ok(Signals { interrupt, at_once })
    }

    /// What a run looks at.
    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }
}

impl Drop for Signals {
    /// What comes after the run has no step to finish: a signal ends the process as it would any other.
    fn drop(&mut self) {
        self.at_once.store(true, Ordering::Relaxed);
    }
}
