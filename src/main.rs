//! The program `gpu-ae`: arguments in, one call into the library, an exit code out.

mod cli;

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    match cli::run(Instant::now()) {
        Ok(code) => code,
        Err(error) => {
            cli::output::complain(&format!("error: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}
