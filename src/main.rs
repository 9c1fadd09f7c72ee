//! The program `gpu-ae`: arguments in, one call into the library, an exit code out.

mod cli;

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    silence_device_select_layer();
    match cli::run(Instant::now()) {
        Ok(code) => code,
        Err(error) => {
            cli::output::complain(&format!("error: {error}"));
            cli::launch::processes::end_those_left(error.exit_code());
            ExitCode::from(error.exit_code())
        }
    }
}

/// Without a desktop session (in containers, over ssh as root) Mesa's device-select layer prints an
/// alarming line about `XDG_RUNTIME_DIR` for every look at the adapters. Its one service, choosing a
/// default adapter, is not used here.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn silence_device_select_layer() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: this is the first thing the program does; no other thread reads the environment yet.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}

/// Only Linux has that layer.
#[cfg(not(target_os = "linux"))]
fn silence_device_select_layer() {}
