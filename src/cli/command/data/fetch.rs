//! `gpu-ae data fetch`

use std::path::PathBuf;

use gpu_ae::Result;
use gpu_ae::data::{Progress, fetch};
use indicatif::HumanBytes;

use crate::cli::bar::Bar;
use crate::cli::output::{complain, say};

#[derive(clap::Args)]
pub struct Args {
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

pub fn run(args: &Args) -> Result<()> {
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
