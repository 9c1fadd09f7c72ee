//! The command line: one file a command, and the flags they share.

mod bar;
mod columns;
mod command;
mod data_flags;
mod flags;
mod from;
mod hopfield;
mod interrupt;
pub mod launch;
mod live;
mod opened;
pub mod output;
mod pictures;
mod profile;
mod progress;
mod reading;
mod terminal;
mod trained;
mod tuning;
mod version;
mod written;

use std::process::ExitCode;
use std::time::Instant;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use gpu_ae::Result;
use gpu_ae::report::printable;

use reading::ReadingBar;

use command::codes::{compress, decode, decompress, encode, generate, interpolate, traverse};
use command::judging::{attack, probe, saliency};
use command::{
    cluster, compact, compare, completions, config, data, devices, doctor, eval, export, inspect, man, plan,
    reconstruct, score, sweep, train,
};

/// Trains small autoencoders on any GPU with WGSL compute shaders, and lets entropy find the bottleneck.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Examples:
  gpu-ae train --epochs 10                 train on the built-in digits, no other file needed
  gpu-ae train --data photos --size 32x32  on a folder of images of one's own
  gpu-ae train --data flowers.csv          on a table of one's own
  gpu-ae train --resume runs/NAME          continue a run that was stopped
  gpu-ae eval runs/NAME                    losses on the test data
  gpu-ae generate runs/NAME                images that nobody drew
  gpu-ae inspect runs/NAME                 how wide each layer turned out to be
  gpu-ae doctor --device gpu               prove every kernel on your GPU

Exit codes: 0 done, 1 what was asked failed, 2 bad usage or input, 130 and 143 interrupted with all work kept.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train an autoencoder and leave a run directory
    Train(train::Args),
    /// Print the losses of a trained model on test data
    Eval(eval::Args),
    /// Draw test images over their reconstructions, or write those of a table
    Reconstruct(reconstruct::Args),
    /// Draw images that the network makes of codes nobody encoded
    Generate(generate::Args),
    /// Draw what lies between test images, along straight lines between their codes
    Interpolate(interpolate::Args),
    /// Draw what each dimension of the code does to an image
    Traverse(traverse::Args),
    /// Write the codes of rows as a NumPy array or a table
    Encode(encode::Args),
    /// Write what the network makes of codes as a NumPy array or a table, and draw it
    Decode(decode::Args),
    /// Write the codes of rows, whole numbers, as a file of as many bytes as they are worth
    Compress(compress::Args),
    /// Write the whole numbers of such a file as a NumPy array, or what the network makes of them
    Decompress(decompress::Args),
    /// Judge every test row by its reconstruction: what is odd, where, and how well that tells a class from the rest
    Score(score::Args),
    /// Say how well a model's codes tell classes apart: a linear classifier and nearest neighbours on them
    Probe(probe::Args),
    /// Say how little an image must change for a classifier to take it for something else
    Attack(attack::Args),
    /// Draw which pixels an answer depends on
    Saliency(saliency::Args),
    /// Compare runs: a table, and a picture of their errors over epochs
    Compare(compare::Args),
    /// Write encoder and decoder as safetensors files for PyTorch, or as ONNX files
    Export(export::Args),
    /// Remove the neurons that carry nothing and write a smaller model
    Compact(compact::Args),
    /// Print what the weights say about each layer: sparsity, entropy, effective width, and ranks of the last
    Inspect(inspect::Args),
    /// Print the list of GPU steps that a training step consists of
    Plan(plan::Args),
    /// Sort a data set into clusters without using its labels
    Cluster(cluster::Args),
    /// Train a grid of settings with several seeds and compare what comes of them
    Sweep(sweep::Args),
    /// List the GPUs of this machine
    Devices(devices::Args),
    /// Run every kernel on a device against its reference
    Doctor(doctor::Args),
    /// Print a model's configuration file, or say what a file would build
    Config(config::Args),
    /// Fetch or list data sets
    Data(data::Args),
    /// Print what makes a shell complete commands and flags
    Completions(completions::Args),
    /// Write manual pages
    Man(man::Args),
}

/// Ends the program with what the parser says of the command line, help included. Where an argument has what a terminal would
/// obey, the message goes without that, and without its colours.
fn refuse(error: &clap::Error) -> ! {
    let obeyed = std::env::args_os().any(|argument| {
        let argument = argument.to_string_lossy();
        printable(&argument) != argument
    });
    if !obeyed {
        error.exit();
    }
    output::complain(error.render().to_string().trim_end());
    std::process::exit(error.exit_code())
}

/// Whether a command was asked to tell nothing but errors and results, however deep it lies in others.
fn is_quiet(matches: &ArgMatches) -> bool {
    let Some((_, command)) = matches.subcommand() else { return false };
    let asked = |flag| command.try_get_one::<bool>(flag).ok().flatten().copied().unwrap_or(false);
    asked("quiet") || asked("json") || is_quiet(command)
}

/// Parses the command line and runs the command; `begin` is when the program started.
pub fn run(begin: Instant) -> Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    let program = || Cli::command().long_version(version::long_version());
    let matches = program().try_get_matches().unwrap_or_else(|error| refuse(&error));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| refuse(&error));
    gpu_ae::data::own::listen(Box::new(ReadingBar::new(is_quiet(&matches))));
    gpu_ae::vectors::check_max_isa()?;
    if let Some(notice) = gpu_ae::threads::start(launch::processes::sharing_cores())? {
        output::complain(&notice);
    }
    match cli.command {
        Command::Train(args) => train::run(args, begin).map(done),
        Command::Eval(args) => eval::run(args).map(done),
        Command::Reconstruct(args) => reconstruct::run(args).map(done),
        Command::Generate(args) => generate::run(args).map(done),
        Command::Interpolate(args) => interpolate::run(args).map(done),
        Command::Traverse(args) => traverse::run(args).map(done),
        Command::Encode(args) => encode::run(args).map(done),
        Command::Decode(args) => decode::run(args).map(done),
        Command::Compress(args) => compress::run(args).map(done),
        Command::Decompress(args) => decompress::run(args).map(done),
        Command::Score(args) => score::run(args).map(done),
        Command::Probe(args) => probe::run(args).map(done),
        Command::Attack(args) => attack::run(args).map(done),
        Command::Saliency(args) => saliency::run(args).map(done),
        Command::Compare(args) => compare::run(args).map(done),
        Command::Export(args) => export::run(args).map(done),
        Command::Compact(args) => compact::run(args).map(done),
        Command::Inspect(args) => inspect::run(args).map(done),
        Command::Plan(args) => plan::run(args).map(done),
        Command::Cluster(args) => cluster::run(args, begin).map(done),
        Command::Sweep(args) => sweep::run(args).map(done),
        Command::Devices(args) => devices::run(args).map(done),
        Command::Doctor(args) => doctor::run(args),
        Command::Config(args) => config::run(args).map(done),
        Command::Data(args) => data::run(args).map(done),
        Command::Completions(args) => completions::run(args, program()).map(done),
        Command::Man(args) => man::run(args, program()).map(done),
    }
}
