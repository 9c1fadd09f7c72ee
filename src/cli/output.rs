//! Printing: results to standard output, everything else to standard error. A reader that went away
//! ends the program quietly instead of with a panic.

use std::io::Write;

use gpu_ae::{Error, Result};

/// Prints a result.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Prints a notice or an error. When nobody listens there is nobody to tell.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints a value as one line of JSON.
pub fn say_json(value: &impl serde::Serialize) -> Result<()> {
    say(&serde_json::to_string(value).map_err(|error| Error::Failed(format!("JSON: {error}")))?);
    Ok(())
}

/// A count with separators: 104,684.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
