//! `gpu-ae data`

mod fetch;
mod info;
mod preview;

use clap::Subcommand;
use gpu_ae::Result;
use gpu_ae::data::{SOURCES, default_dir};

use crate::cli::output::say;
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
    Fetch(fetch::Args),
    /// List the data sets there are
    List,
    /// Say what would be read: rows, classes, splits, values, rows that are both trained and tested with
    #[command(after_help = info::EXAMPLES)]
    Info(info::Args),
    /// Draw a page of it
    Preview(preview::Args),
}

pub fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Fetch(args) => fetch::run(&args),
        Command::Info(args) => info::run(&args),
        Command::Preview(args) => preview::run(&args),
        Command::List => {
            let rows: Vec<Vec<String>> =
                SOURCES.iter().map(|source| vec![source.name.to_string(), source.about.to_string()]).collect();
            say(&table(&["--data", "what"], &rows));
            say(&format!("files are looked for in {}", default_dir()?.display()));
            Ok(())
        }
    }
}
