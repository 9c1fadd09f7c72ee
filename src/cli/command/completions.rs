//! `gpu-ae completions`

use clap_complete::Shell;
use gpu_ae::Result;

use crate::cli::output::say;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  gpu-ae completions bash > ~/.local/share/bash-completion/completions/gpu-ae
  gpu-ae completions zsh > \"${fpath[1]}/_gpu-ae\"
  gpu-ae completions fish > ~/.config/fish/completions/gpu-ae.fish")]
pub struct Args {
    /// Shell to write them for
    shell: Shell,
}

/// Prints what makes a shell complete the commands and flags of `program`.
pub fn run(args: Args, mut program: clap::Command) -> Result<()> {
    let mut script = Vec::new();
    let name = program.get_name().to_string();
    clap_complete::generate(args.shell, &mut program, name, &mut script);
    say(of_hyphen(&String::from_utf8_lossy(&script)).trim_end());
    Ok(())
}

/// What clap_complete 4.6 writes for bash takes the hyphen of this program's name for the end of a command's in some places, so that
/// nothing is completed behind the first word.
fn of_hyphen(script: &str) -> String {
    script.replace("gpu__subcmd__ae", "gpu__ae")
}
