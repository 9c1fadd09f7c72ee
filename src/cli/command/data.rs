//! `gpu-ae data`

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Subcommand;
use gpu_ae::Result;
use gpu_ae::data::Progress;
use gpu_ae::data::{SOURCES, default_dir, fetch};
use gpu_ae::report::text_table;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output::{complain, say};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Download a data set and check it
    #[command(
        after_help = "The next mirror is tried when one is silent for 30 seconds, delivers fewer than 2,048 bytes a \
second over 30 seconds, or takes an hour for a file."
    )]
    Fetch(Fetch),
    /// List the data sets there are
    List,
}

#[derive(clap::Args)]
struct Fetch {
    /// Data set: mnist
    name: String,
    /// Folder to download into [default: $GPU_AE_DATA, or the user's cache]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Address to download from instead of the known ones; may be given several times
    #[arg(long, value_name = "URL")]
    mirror: Vec<String>,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Fetch(args) => run_fetch(&args),
        Command::List => {
            let rows: Vec<Vec<String>> =
                SOURCES.iter().map(|source| vec![source.name.to_string(), source.about.to_string()]).collect();
            say(text_table(&["--data", "what"], &rows).trim_end());
            say(&format!("files are looked for in {}", default_dir()?.display()));
            Ok(())
        }
    }
}

fn run_fetch(args: &Fetch) -> Result<()> {
    let bar = (!args.quiet && std::io::stderr().is_terminal()).then(|| {
        let style = ProgressStyle::with_template("{prefix} [{bar:32}] {bytes}/{total_bytes} {bytes_per_sec}");
        ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "))
    });
    let note = |text: String| {
        if args.quiet {
            return;
        }
        match &bar {
            Some(bar) => bar.suspend(|| complain(&text)),
            None => complain(&text),
        }
    };
    let folder = fetch(&args.name, args.data_dir.as_deref(), &args.mirror, &mut |progress| match progress {
        Progress::Present { file } => note(format!("{file}: already there, checked")),
        Progress::Started { file, url, total } => {
            if let Some(bar) = &bar {
                bar.set_prefix(file.to_string());
                bar.set_length(total.unwrap_or(0));
                bar.set_position(0);
            } else {
                note(format!("{file}: from {url}"));
            }
        }
        Progress::Received { bytes, .. } => {
            if let Some(bar) = &bar {
                bar.set_position(bytes);
            }
        }
        Progress::MirrorFailed { url, reason, .. } => note(format!("{url}: {reason}")),
        Progress::Done { file, bytes } => note(format!("{file}: {bytes} bytes, checked")),
        _ => {}
    })?;
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    if !args.quiet {
        say(&format!("{} is in {}", args.name, folder.display()));
    }
    Ok(())
}
