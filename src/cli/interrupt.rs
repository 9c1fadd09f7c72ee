//! Ctrl-C and SIGTERM while a run is made and trains: before its first step the first signal ends the process with nothing left
//! behind, from then on it ends the run with a checkpoint of the step it is at; a second one ends the process at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use gpu_ae::claim::abandon;
use gpu_ae::train::Interrupt;
use gpu_ae::{Error, Result};
use signal_hook::SigId;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown, register_usize};
use signal_hook::low_level::{exit, unregister};

use super::output::complain;

/// So often is looked for a signal before there are steps between which to look.
const LOOKED: Duration = Duration::from_millis(20);

/// The signals that are listened to.
const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

/// For as long as it lives, signals are asked of a run.
pub struct Signals {
    interrupt: Interrupt,
    /// Whether the next signal ends the process at once.
    at_once: Arc<AtomicBool>,
    /// What has the first signal make it so.
    arming: Vec<SigId>,
    /// Whether steps are made, between which a signal is looked for.
    has_begun: Arc<Mutex<bool>>,
}

impl Signals {
    /// From now on a signal ends what is being made ready: reading data, opening a device. This is the first thing that a
    /// command does.
    pub fn listen() -> Result<Self> {
        let interrupt = Interrupt::default();
        let at_once = Arc::new(AtomicBool::new(false));
        let mut arming = Vec::new();
        for signal in SIGNALS {
            // In this order: the first signal arms what the second one then finds.
            let registered = register_conditional_shutdown(signal, 128 + signal, Arc::clone(&at_once))
                .and_then(|_| register_usize(signal, interrupt.flag(), signal.unsigned_abs() as usize))
                .and_then(|_| register(signal, Arc::clone(&at_once)));
            arming.push(registered.map_err(|error| Error::Failed(format!("signals cannot be listened to: {error}")))?);
        }
        let has_begun = Arc::new(Mutex::new(false));
        let (flag, state) = (interrupt.clone(), Arc::clone(&has_begun));
        // Without a thread the first signal waits for the first step, as it did once.
        let _ = thread::Builder::new().name("signals".into()).spawn(move || wait(&flag, &state));
        Ok(Signals { interrupt, at_once, arming, has_begun })
    }

    /// From now on the first signal is the run's to obey, which looks at this.
    pub fn interrupt(&self) -> Interrupt {
        *self.has_begun.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.interrupt.clone()
    }

    /// From now on, and for as long as what is returned lives, the second signal does not end the process either.
    pub fn hold(&self) -> Held {
        for arming in &self.arming {
            unregister(*arming);
        }
        self.at_once.store(false, Ordering::Relaxed);
        Held { interrupt: self.interrupt.clone(), at_once: Arc::clone(&self.at_once) }
    }
}

/// For as long as it lives, no signal ends the process at once: something is to be put right first.
pub struct Held {
    interrupt: Interrupt,
    at_once: Arc<AtomicBool>,
}

impl Held {
    /// The signal that asked the run to end, once one has.
    pub fn signal(&self) -> Option<i32> {
        self.interrupt.signal()
    }
}

impl Drop for Held {
    /// The second signal ends the process at once again, however many there were meanwhile.
    fn drop(&mut self) {
        for signal in SIGNALS {
            // What cannot be registered now could be before; without it a run that is asked to end takes its time.
            let _ = register(signal, Arc::clone(&self.at_once));
        }
        if self.signal().is_some() {
            self.at_once.store(true, Ordering::Relaxed);
        }
    }
}

/// Ends the process at the first signal, if there is one before steps are made.
fn wait(interrupt: &Interrupt, has_begun: &Mutex<bool>) {
    loop {
        let has_begun = has_begun.lock().unwrap_or_else(PoisonError::into_inner);
        if *has_begun {
            return;
        }
        // What holds the lock until the process has ended keeps a run from beginning meanwhile.
        if let Some(signal) = interrupt.signal() {
            complain(match abandon() {
                true => "interrupted before a step was made; what was there is as it was",
                false => "interrupted before there was a run, of which nothing is left",
            });
            // At once: what other threads are at would be torn down under them.
            exit(128 + signal);
        }
        drop(has_begun);
        thread::sleep(LOOKED);
    }
}

impl Drop for Signals {
    /// What comes after the run has no step to finish: a signal ends the process as it would any other.
    fn drop(&mut self) {
        self.at_once.store(true, Ordering::Relaxed);
        *self.has_begun.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
}
