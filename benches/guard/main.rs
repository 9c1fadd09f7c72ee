//! A guard against growing slower: whole runs of the program on workloads that need no peer, in turn with the program of
//! an earlier release where one is given. Rounds are interleaved, A B A B, and ratios are taken within a round, since the speed
//! of a machine drifts by more than what is looked for. The table is one for `docs/performance.md`.
//!
//!     cargo bench --bench guard -- [--against PROGRAM] [--rounds 5] [--least 0.9] [WORD…]
//!
//! Words pick the rows whose titles have all of them. With `--against` a median ratio under `--least` ends it with status 1.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "../support/machine.rs"]
mod machine;
#[path = "../support/made.rs"]
mod made;
#[path = "../support/program.rs"]
mod program;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;

use workload::{Data, Workload, workloads};

/// What was asked for.
struct Asked {
    against: Option<PathBuf>,
    rounds: usize,
    least: f64,
    words: Vec<String>,
}

/// Reads the command line.
///
/// # Errors
/// When a flag is unknown or its value is none.
fn asked(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked { against: None, rounds: 5, least: 0.9, words: Vec::new() };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument}: expected a value behind it"));
        match argument.as_str() {
            // What cargo says to every benchmark.
            "--bench" => {}
            "--against" => {
                let program = PathBuf::from(value()?);
                if !program.is_file() {
                    return Err(format!("--against {}: no such program", program.display()));
                }
                asked.against = Some(program);
            }
            "--rounds" => asked.rounds = positive("--rounds", &value()?)?,
            "--least" => asked.least = positive("--least", &value()?)?,
            flag if flag.starts_with("--") => {
                return Err(format!(
                    "{flag}: expected --against PROGRAM, --rounds N, --least RATIO, or words of titles"
                ));
            }
            word => asked.words.push(word.to_lowercase()),
        }
    }
    Ok(asked)
}

fn positive<T: std::str::FromStr + PartialOrd + Default>(flag: &str, text: &str) -> Result<T, String> {
    let value = text.parse().ok().filter(|value| *value > T::default());
    value.ok_or(format!("{flag} {text}: expected a number above 0"))
}

/// Median, smallest and largest.
fn spread(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
    [median, sorted[0], sorted[sorted.len() - 1]]
}

/// Figures of one row: this program's, and the other's of the same rounds.
#[derive(Default)]
struct Figures {
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

/// Measures a row; the first round of each program finds out how many epochs fill the window, and warms the caches up.
fn measure(workload: &Workload, asked: &Asked, data: &Data) -> Result<Figures, String> {
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_gpu-ae"));
    let mut epochs = workload.epochs_of_window(&ours, data)?;
    let mut against = asked.against.as_ref();
    if let Some(other) = against {
        match workload.epochs_of_window(other, data) {
            Ok(theirs) => epochs = epochs.max(theirs),
            Err(complaint) => {
                eprintln!("  {} is left out: {complaint}", other.display());
                against = None;
            }
        }
    }
    let mut figures = Figures::default();
    for round in 1..=asked.rounds {
        let busy = machine::wait_for_quiet();
        figures.ours.push(workload.figure(&ours, data, epochs)?);
        if let Some(other) = against {
            figures.theirs.push(workload.figure(other, data, epochs)?);
        }
        let theirs =
            figures.theirs.last().map_or(String::new(), |figure| format!(", against {}", workload.told(*figure)));
        let load = machine::beside(busy);
        eprintln!("  round {round}: {}{theirs}{load}", workload.told(figures.ours[round - 1]));
    }
    Ok(figures)
}

/// A row of the table, and the median ratio, above 1 where this program is the faster one.
fn row(workload: &Workload, figures: &Figures) -> (String, Option<f64>) {
    let told = |[median, least, most]: [f64; 3]| {
        format!("{} | {}–{}", workload.told(median), workload.bare(least), workload.bare(most))
    };
    let mut line = format!("| {} | {} |", workload.title, told(spread(&figures.ours)));
    if figures.theirs.is_empty() {
        return (line + " | | |", None);
    }
    let pairs = figures.ours.iter().zip(&figures.theirs);
    let ratios: Vec<_> = pairs.map(|(ours, theirs)| workload.advantage(*ours, *theirs)).collect();
    let [median, least, most] = spread(&ratios);
    line += &format!(" {} | **{median:.2}** | {least:.2}–{most:.2} |", workload.told(spread(&figures.theirs)[0]));
    (line, Some(median))
}

fn run() -> Result<bool, String> {
    let asked = asked(std::env::args().skip(1))?;
    let chosen = |workload: &Workload| asked.words.iter().all(|word| workload.title.to_lowercase().contains(word));
    let rows: Vec<_> = workloads().into_iter().filter(chosen).collect();
    if rows.is_empty() {
        return Err(format!("no row has {} in its title", asked.words.join(" and ")));
    }
    let data = Data::made().map_err(|error| format!("cannot write the rows that are trained on: {error}"))?;
    let mut lines = Vec::new();
    let mut slower = Vec::new();
    for workload in &rows {
        eprintln!("{}", workload.title);
        match measure(workload, &asked, &data) {
            Ok(figures) => {
                let (line, ratio) = row(workload, &figures);
                lines.push(line);
                if ratio.is_some_and(|ratio| ratio < asked.least) {
                    slower.push(workload.title.as_str());
                }
            }
            Err(complaint) => {
                eprintln!("  {complaint}");
                lines.push(format!("| {} | not measured | | | | |", workload.title));
            }
        }
    }
    println!("{}; {} rounds, median and range\n", machine::told(), asked.rounds);
    println!("| workload | gpu-ae | range | against | ratio | range |\n|---|---|---|---|---|---|");
    println!("{}", lines.join("\n"));
    if !slower.is_empty() {
        eprintln!("under {} of the other program: {}", asked.least, slower.join("; "));
    }
    Ok(slower.is_empty())
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(complaint) => {
            eprintln!("guard: {complaint}");
            ExitCode::from(2)
        }
    }
}
