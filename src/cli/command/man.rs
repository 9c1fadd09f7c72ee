//! `gpu-ae man`

use std::path::PathBuf;

use gpu_ae::{Error, Result, whole_file};

use crate::cli::output::say;

#[derive(clap::Args)]
#[command(after_help = "Example: gpu-ae man --out ~/.local/share/man/man1, then man gpu-ae-train")]
pub struct Args {
    /// Folder to write gpu-ae.1 and a page for each command into
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
}

/// Writes the manual of `program`, a page a command.
pub fn run(args: Args, mut program: clap::Command) -> Result<()> {
    // A help command has no page of its own.
    program = program.disable_help_subcommand(true);
    program.build();
    let mut pages = Vec::new();
    collect(&program, &mut pages)?;
    whole_file::make_folder(&args.out)?;
    for (name, page) in &pages {
        whole_file::write(&args.out.join(name), page, "write the manual")?;
    }
    if !args.quiet {
        say(&format!("wrote {} pages into {}", pages.len(), args.out.display()));
    }
    Ok(())
}

/// The pages of a command and of those inside it, with their files' names.
fn collect(command: &clap::Command, pages: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let own = command.get_display_name().unwrap_or(command.get_name()).to_string();
    let page = clap_mangen::Man::new(command.clone().name(own));
    let text = rendered(&page, command).map_err(|error| Error::Failed(format!("the manual: {error}")))?;
    pages.push((page.get_filename(), text));
    let inner = command.get_subcommands().filter(|inner| inner.get_name() != "help");
    inner.into_iter().try_for_each(|inner| collect(inner, pages))
}

/// The page of a command; what its help ends with stands in lines as it does there.
fn rendered(page: &clap_mangen::Man, command: &clap::Command) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text)?;
    }
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if let Some(more) = command.get_after_help() {
        text.push_str(".SH NOTES\n");
        let mut stands = false;
        for line in more.to_string().lines() {
            // Examples stand as they are, sentences are filled.
            if line.starts_with("  ") != stands {
                stands = !stands;
                text.push_str(if stands { ".nf\n" } else { ".fi\n" });
            }
            let line = line.replace('\\', "\\e").replace('-', "\\-");
            // A dot or a quote at the beginning of a line would be a request.
            let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
            text.push_str(&format!("{guard}{line}\n"));
        }
        text.push_str(if stands { ".fi\n" } else { "" });
    }
    let ascii = text.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("\\[u{:04X}]", c as u32) });
    Ok(ascii.collect::<String>().into_bytes())
}
