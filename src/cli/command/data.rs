//! `gpu-ae data`

use std::path::PathBuf;

use clap::Subcommand;
use gpu_ae::Result;
use gpu_ae::data::Progress;
use gpu_ae::data::{SOURCES, default_dir, fetch};
use indicatif::HumanBytes;

use crate::cli::bar::Bar;
use crate::cli::output::{complain, say};
use crate::cli::terminal::table;

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
    /// Data set: mnist, fashion-mnist, kmnist, emnist, cifar10 or cifar100
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
            say(&table(&["--data", "what"], &rows));
            say(&format!("files are looked for in {}", default_dir()?.display()));
            Ok(())
        }
    }
}

fn run_fetch(args: &Fetch) -> Result<()> {
    let mut bar = Bar::new(&args.name, 0, args.quiet);
    let mut expected = None;
    let note = |bar: &Bar, text: String| {
        if !args.quiet {
            bar.suspend(|| complain(&text));
        }
    };
    let folder = fetch(&args.name, args.data_dir.as_deref(), &args.mirror, &mut |progress| match progress {
        Progress::Present { file } => note(&bar, format!("{file}: already there, checked")),
        Progress::Started { file, url, total } => {
            expected = total;
            bar.restart(file, total.unwrap_or(0));
            if !bar.is_seen() {
                note(&bar, format!("{file}: from {url}"));
            }
        }
        Progress::Received { bytes, .. } => {
            let all = expected.map_or(String::new(), |total| format!(" of {}", HumanBytes(total)));
            bar.at(bytes, &[(1, format!("{}{all}", HumanBytes(bytes)))]);
        }
        Progress::MirrorFailed { url, reason, .. } => note(&bar, format!("{url}: {reason}")),
        Progress::Done { file, bytes } => note(&bar, format!("{file}: {bytes} bytes, checked")),
        _ => {}
    })?;
    drop(bar);
    if !args.quiet {
        say(&format!("{} is in {}", args.name, folder.display()));
    }
    Ok(())
}
