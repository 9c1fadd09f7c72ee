//! `gpu-ae attack`

mod drawn;
mod written;

use std::path::PathBuf;

use clap::ValueEnum;
use gpu_ae::study::attack::{Attack, Ball, Norm, Outcome, Pixels, Point, Rows, Summary, TrainedClassifier};
use gpu_ae::{Error, Result, whole_file};
use serde::Serialize;

use super::{not_negative, percents, positive};
use crate::cli::bar::Bar;
use crate::cli::flags::{seed, whole};
use crate::cli::output::{complain, say, say_json};
use crate::cli::terminal::table;
use crate::cli::trained::{RunFlags, Trained};
use crate::cli::written::check_outputs;

#[derive(clap::Args)]
#[command(
    after_help = "An attack looks within a distance epsilon of a row for one that the classifier takes for another class. Distances are in pixels \
from black, 0, to white, 1, before any normalisation, and whatever is tried is brought back first within epsilon, then \
into that range. --norm linf lets every value move by epsilon; --norm l2 measures the root of the sum of all squared moves, so that a \
larger epsilon means as much. Rows that are taken for another class as they are, are wrong under every attack, and left alone.

The gradient attack (PGD) follows the gradient of the cross entropy, the network as it is judged, from the row itself and, with --restarts, from \
random places within epsilon; a row counts as soon as one of all places on the way is taken for another class, so more steps are never \
worse. The square attack asks for answers alone: it changes one square of the image after the other and keeps what brings it nearer. \
Where it finds more rows than the gradient attack, gradients look masked, as those of rounded codes and saturated units can be: \
what is left under the gradient attack then says little of how robust a network is. A model with [rate] can be attacked a second time with --unrounded, by the gradient of the network that does not round.

Written into the folder: accuracy.csv and accuracy.png, what is left of the accuracy over epsilon (what a smaller epsilon is enough for \
counts at larger ones, steps grow with epsilon); rows.csv, a line for each row with the steps and queries that were enough; examples.png, images, \
what was added to them, and what they are taken for then; attack.json, what was asked and what came of it.

Examples:
  gpu-ae train --model classifier --out runs/classes
  gpu-ae attack runs/classes
  gpu-ae attack runs/classes --norm l2 --epsilon 1 --restarts 10 --square 5000 --rows 200
  gpu-ae attack runs/classes --targeted --epsilons 0.02,0.05,0.1"
)]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// How far a row may be moved, in pixels from 0 to 1: a fraction or a decimal [default: 8/255; with --norm l2: 128/255]
    #[arg(long, value_name = "X", value_parser = positive, allow_negative_numbers = true)]
    epsilon: Option<f64>,
    /// How far a step of the gradient attack goes [default: a quarter of epsilon, 2/255 of 8/255]
    #[arg(long, value_name = "X", value_parser = positive, allow_negative_numbers = true)]
    step: Option<f64>,
    /// Numbers of steps to judge, with commas between them
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = whole(1..=100_000_u32), default_value = "7,20", allow_negative_numbers = true)]
    steps: Vec<u32>,
    /// How distances are measured: by the largest move of a value, or by the length of all moves
    #[arg(long, value_enum, value_name = "linf|l2", default_value = "linf")]
    norm: NormFlag,
    /// Random places that the gradient attack begins at as well
    #[arg(long, value_name = "N", value_parser = whole(0..=10_000_u32), default_value = "4", allow_negative_numbers = true)]
    restarts: u32,
    /// Have rows taken for the class behind their own, behind the last the first, instead of for any other
    #[arg(long)]
    targeted: bool,
    /// Of a model with [rate], follow the gradient that the network would have without rounding; verdicts stay those of the one that
    /// rounds
    #[arg(long)]
    unrounded: bool,
    /// Queries of the square attack for each row; 0 leaves it out
    #[arg(long, value_name = "QUERIES", value_parser = whole(0..=1_000_000_u32), default_value = "200", allow_negative_numbers = true)]
    square: u32,
    /// Test rows to attack, the first ones, or all that there are
    #[arg(long, value_name = "N", value_parser = whole(1..=usize::MAX), default_value = "1000", allow_negative_numbers = true)]
    rows: usize,
    /// Distances of the curve, with commas between them [default: 0, a quarter, half, once, twice and four times epsilon]
    #[arg(long, value_name = "X,…", value_delimiter = ',', value_parser = not_negative, allow_negative_numbers = true)]
    epsilons: Vec<f64>,
    /// Seed of everything random
    #[arg(long, value_name = "N", value_parser = seed, default_value = "0", allow_negative_numbers = true)]
    seed: u64,
    /// Folder of what is written [default: RUN/attack]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// `--norm`
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum NormFlag {
    Linf,
    L2,
}

/// What was asked and what came of it.
#[derive(Serialize)]
struct Attacked {
    data: String,
    norm: &'static str,
    epsilon: f64,
    step: f64,
    restarts: u32,
    square_queries: u32,
    targeted: bool,
    unrounded: bool,
    seed: u64,
    #[serde(flatten)]
    summary: Summary,
    curve: Vec<Point>,
}

/// Rows of which is kept what became of them.
const KEPT: usize = 100;
/// Parts of epsilon in the curve, if nothing is said.
const SHARES: [f64; 6] = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0];

impl Args {
    /// The attack that the flags ask for.
    fn attack(&self) -> Attack {
        let (norm, usual) = match self.norm {
            NormFlag::Linf => (Norm::Largest, 8.0 / 255.0),
            NormFlag::L2 => (Norm::Euclidean, 128.0 / 255.0),
        };
        let epsilon = self.epsilon.unwrap_or(usual);
        let mut steps = self.steps.clone();
        steps.sort_unstable();
        steps.dedup();
        Attack {
            ball: Ball { norm, epsilon },
            step: self.step.unwrap_or(epsilon / 4.0),
            steps,
            restarts: self.restarts,
            targeted: self.targeted,
            queries: self.square,
            seed: self.seed,
        }
    }

    /// The distances of the curve, in order.
    fn distances(&self, epsilon: f64) -> Vec<f64> {
        let mut distances = match self.epsilons.is_empty() {
            true => SHARES.map(|share| share * epsilon).to_vec(),
            false => self.epsilons.clone(),
        };
        distances.sort_by(f64::total_cmp);
        distances.dedup();
        distances
    }
}

pub fn run(args: Args) -> Result<()> {
    let attack = args.attack();
    let mut trained = args.run.open_any(args.json)?;
    let quiet = args.run.quiet || args.json;
    if trained.config.classifier.is_none() {
        let problem =
            "expected a classifier: under an attack rows are taken for other classes, and this network names none";
        return Err(Error::input(&args.run.run, problem));
    }
    if args.unrounded && trained.config.rate.is_none() {
        let problem = "--unrounded: expected a model with [rate], and this one rounds nothing";
        return Err(Error::input(&args.run.run, problem));
    }
    let pixels = Pixels::of(&trained.data.encoding).map_err(|error| Error::input(&args.run.run, error.to_string()))?;
    let folder = args.out.clone().unwrap_or_else(|| trained.directory.path().join("attack"));
    check_outputs(&trained.config, &[], &[("--out", &folder)])?;
    whole_file::make_folder(&folder)?;

    let test = trained.data.test.first(args.rows);
    let (image, of) = (trained.data.image(), trained.data.classes());
    let originals = pixels.of_rows(&test.values(0..test.rows));
    let rows = Rows { pixels: &originals, classes: &test.labels, image, of };
    let distances = args.distances(attack.ball.epsilon);
    let all = attack.parts(test.rows, image.values()) + distances.len() as u64;
    let bar = Bar::new("attacking", all, quiet);
    let mut done = 0;
    let mut tell = || {
        done += 1;
        bar.at(done, &[]);
    };
    let (outcomes, curve) = {
        let mut network = TrainedClassifier::new(&mut trained.session, pixels, args.unrounded)?;
        let outcomes = attack.run(&mut network, rows, KEPT, &mut tell)?;
        let curve = attack.curve(&mut network, rows, (&distances, &outcomes), &mut tell)?;
        (outcomes, curve)
    };
    drop(bar);

    let attacked = Attacked {
        data: trained.data.name.clone(),
        norm: if args.norm == NormFlag::Linf { "linf" } else { "l2" },
        epsilon: attack.ball.epsilon,
        step: attack.step,
        restarts: attack.restarts,
        square_queries: attack.queries,
        targeted: attack.targeted,
        unrounded: args.unrounded,
        seed: attack.seed,
        summary: Summary::of(&attack, &outcomes),
        curve,
    };
    let files = written::write(&folder, &trained, &attack, &attacked, (&originals, &outcomes))?;
    if args.json {
        return say_json(&attacked);
    }
    tell_of(&attacked, &attack, &trained, &outcomes);
    if let Some(warning) = masked(&attacked.summary) {
        complain(&warning);
    }
    files.iter().for_each(|file| args.run.wrote(file));
    Ok(())
}

/// Prints what is left of the accuracy.
fn tell_of(attacked: &Attacked, attack: &Attack, trained: &Trained, outcomes: &[Outcome]) {
    let summary = &attacked.summary;
    let what = trained.data.encoding.words()[1];
    let aim = if attack.targeted { ", to be taken for the class behind their own" } else { "" };
    let norm = if attack.ball.norm == Norm::Largest { "linf" } else { "l2" };
    say(&format!(
        "{} test {what} of {}, moved by up to {:.4} ({norm}) in steps of {:.4}{aim}",
        summary.rows, attacked.data, attacked.epsilon, attacked.step
    ));
    let mut rows = vec![vec!["none".to_string(), percents(summary.clean_accuracy), String::new()]];
    for under in &summary.gradient {
        let restarted = if attack.restarts > 0 { percents(under.accuracy_with_restarts) } else { String::new() };
        rows.push(vec![format!("gradient, {} steps", under.steps), percents(under.accuracy), restarted]);
    }
    if let Some(accuracy) = summary.square_accuracy {
        rows.push(vec![format!("square, {} queries", attack.queries), percents(accuracy), String::new()]);
        let [worst, none] = [percents(summary.worst_accuracy), String::new()];
        rows.push(if attack.restarts > 0 {
            vec!["all of them".into(), none, worst]
        } else {
            vec!["all of them".into(), worst, none]
        });
    }
    let restarts = restarts(attack.restarts);
    let columns = if attack.restarts > 0 { 3 } else { 2 };
    rows.iter_mut().for_each(|row| row.truncate(columns));
    say(&table(&["attack", "accuracy", restarts.as_str()][..columns], &rows));
    if attack.targeted {
        let reached = outcomes.iter().filter(|it| it.restarted.is_some() || it.square.is_some()).count();
        let right = outcomes.iter().filter(|it| it.is_right()).count();
        say(&format!("{reached} of {right} rows that were right are taken for the class behind their own"));
    }
}

/// What the gradient attack begins at beside the row itself.
fn restarts(count: u32) -> String {
    format!("and {count} restart{}", if count == 1 { "" } else { "s" })
}

/// What to say where gradients lead nowhere.
fn masked(summary: &Summary) -> Option<String> {
    let flat = match summary.flat {
        0 => String::new(),
        flat => format!("; of {flat} rows the gradient is 0 everywhere"),
    };
    if summary.masked {
        return Some(format!(
            "gradients look masked: the square attack, which needs none, deceives more rows than the gradient attack, {} of them \
             not deceived by it at all{flat}. What is left under the gradient attack says little of how robust this network is",
            summary.square_alone
        ));
    }
    (summary.flat > 0).then(|| {
        format!(
            "of {} rows the gradient is 0 everywhere, so that no step of the gradient attack moves them",
            summary.flat
        )
    })
}
