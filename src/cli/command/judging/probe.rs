//! `gpu-ae probe`

use clap::ValueEnum;
use gpu_ae::data::{Split, is_named};
use gpu_ae::model::part::Part;
use gpu_ae::statistics::nearest::Nearness;
use gpu_ae::study::lone_part::LonePart;
use gpu_ae::study::probe::{Probe, Represented, Worth, chosen, untrained};
use gpu_ae::train::{Checkpoint, Tuning};
use gpu_ae::{Error, Result};
use serde::Serialize;

use super::{percents, positive};
use crate::cli::bar::Bar;
use crate::cli::flags::{check_width, open_device, open_run, seed, whole};
use crate::cli::output::{complain, say, say_json};
use crate::cli::terminal::table;
use crate::cli::trained::RunFlags;

#[derive(clap::Args)]
#[command(
    after_help = "The codes of training rows, of a variational model their means, are frozen, and two simple classifiers are fitted on them and judged on the \
test rows: a linear one, softmax regression by L-BFGS to convergence on standardised codes under a penalty of --l2 / 2 times the sum of its squared \
weights, and the majority of the nearest --k training rows, by the codes as they are. Beside them stands the same of the codes that the \
encoder of this configuration and seed gives before it is trained, and of the rows themselves, unless they have more than 2^28 values: only what is better than those two was learnt.

Labels are needed for this alone: any model will do, however it was trained, and any data with classes whose rows are of the same size. Of other data of one's own a \
fifth of the rows is tested with, unless --test says otherwise. Rows that a run left out or set aside are taken like all others.

Examples:
  gpu-ae train --model vae --out runs/vae
  gpu-ae probe runs/vae
  gpu-ae probe runs/vae --labels 10                   ten labelled rows of each class
  gpu-ae probe runs/vae --data more-photos --k 5 --distance euclidean"
)]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Training rows to fit on, drawn by the seed, or all that there are
    #[arg(long, value_name = "N", value_parser = whole(1..=usize::MAX), default_value = "10000", allow_negative_numbers = true)]
    rows: usize,
    /// Fit on so many training rows of each class instead
    #[arg(long, value_name = "N", value_parser = whole(1..=usize::MAX), conflicts_with = "rows", allow_negative_numbers = true)]
    labels: Option<usize>,
    /// Penalty on the weights of the linear classifier
    #[arg(long, value_name = "X", value_parser = positive, default_value = "0.001", allow_negative_numbers = true)]
    l2: f64,
    /// Neighbours that are asked
    #[arg(long, value_name = "N", value_parser = whole(1..=usize::MAX), default_value = "20", allow_negative_numbers = true)]
    k: usize,
    /// By what neighbours are near
    #[arg(long, value_enum, value_name = "cosine|euclidean", default_value = "cosine")]
    distance: DistanceFlag,
    /// Seed that draws the training rows
    #[arg(long, value_name = "N", value_parser = seed, default_value = "0", allow_negative_numbers = true)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Most values of rows that are probed as they are: a gigabyte.
const MOST_VALUES: usize = 1 << 28;

/// `--distance`
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DistanceFlag {
    Cosine,
    Euclidean,
}

#[derive(Serialize)]
struct Probed {
    data: String,
    classes: usize,
    train_rows: usize,
    test_rows: usize,
    l2: f64,
    k: usize,
    distance: &'static str,
    seed: u64,
    representations: Vec<Worth>,
}

pub fn run(args: Args) -> Result<()> {
    let quiet = args.run.quiet || args.json;
    let (_, mut checkpoint) = open_run(&args.run.run, &args.run.data, &args.run.device, quiet)?;
    if checkpoint.config.adversarial.is_some() {
        let problem = "expected a network that makes codes of rows; a generator makes rows of random codes";
        return Err(Error::input(&args.run.run, problem));
    }
    divide(&args, &mut checkpoint);
    let data = checkpoint.config.load_data_as(checkpoint.encoding.as_ref())?;
    check_width(&checkpoint, &data)?;
    for (side, split) in [("training", &data.train), ("test", &data.test)] {
        let problem = match (split.rows, split.is_labelled()) {
            (0, _) => format!("has no {side} rows, expected rows to fit on and others to judge by"),
            (_, false) => {
                format!("expected rows with classes, its {side} rows have none, so there is nothing to tell apart")
            }
            (_, true) => continue,
        };
        return Err(Error::Usage(format!("--data {}: {problem}", data.name)));
    }
    let rows = chosen(&data.train.labels, args.rows, args.labels, args.seed).map_err(|(class, count)| {
        let labels = args.labels.unwrap_or_default();
        let name = data.encoding.class_name(class);
        Error::Usage(format!("--labels {labels}: expected at most {count}, the training rows of class {name}"))
    })?;
    let (train, test) = (data.train.only(&rows), &data.test);
    if args.k > train.rows {
        return Err(Error::Usage(format!(
            "--k {}: expected at most {}, the rows that it is fitted on",
            args.k, train.rows
        )));
    }

    let device = open_device(&checkpoint.config.device, quiet)?;
    let choices = Tuning::or_static(checkpoint.tuning.as_ref(), device.as_ref());
    let mut encoder = LonePart::open(device, &checkpoint, &choices, Part::Encode)?;
    let largest = train.labels.iter().chain(&test.labels).max().map_or(0, |label| usize::from(*label) + 1);
    let (nearness, distance) = match args.distance {
        DistanceFlag::Cosine => (Nearness::Cosine, "cosine"),
        DistanceFlag::Euclidean => (Nearness::Euclidean, "euclidean"),
    };
    let classes = data.classes().max(largest);
    let probe = Probe { lambda: args.l2, neighbours: args.k, nearness, classes };
    let bar = Bar::new("probing", 3, quiet);
    let judge = |of, [train_values, test_values]: [Vec<f32>; 2]| {
        let width = train_values.len() / train.rows.max(1);
        let trained = Represented { values: &train_values, labels: &train.labels };
        probe.judge(of, width, trained, Represented { values: &test_values, labels: &test.labels })
    };
    let mut representations = vec![judge("codes", codes(&mut encoder, [&train, test])?)];
    bar.at(1, &[]);
    // Rounded, most of them would be 0, and nothing is worth less than that.
    encoder.turn(&checkpoint, &choices, Part::Unrounded)?;
    encoder.restore(&untrained(&checkpoint)?)?;
    representations.push(judge("codes before training", codes(&mut encoder, [&train, test])?));
    bar.at(2, &[]);
    let values = (train.rows + test.rows).saturating_mul(test.width);
    if values <= MOST_VALUES {
        representations.push(judge("rows as they are", [&train, test].map(|split| split.values(0..split.rows))));
    } else if !quiet {
        complain(&format!(
            "the rows as they are are left out: {values} values are more than {MOST_VALUES}; fewer --rows help"
        ));
    }
    drop(bar);

    let probed = Probed {
        data: data.name.clone(),
        classes,
        train_rows: train.rows,
        test_rows: test.rows,
        l2: args.l2,
        k: args.k,
        distance,
        seed: args.seed,
        representations,
    };
    if args.json {
        return say_json(&probed);
    }
    tell(&probed, data.encoding.words()[1]);
    Ok(())
}

/// Has all rows of the data with their labels, some of them to be tested with.
fn divide(args: &Args, checkpoint: &mut Checkpoint) {
    let flags = &args.run.data;
    let config = &mut checkpoint.config;
    let is_own = flags.data.as_ref().is_some_and(|path| !is_named(path));
    // As if nothing were said: of other rows of one's own other commands test with all.
    if is_own && config.data.test == Some(1.0) && flags.reading.test.is_none() {
        config.data.test = None;
    }
    (config.without, config.data.validation) = (None, None);
    config.classifier.iter_mut().for_each(|classifier| classifier.labels = 0);
}

/// The codes of both sides.
fn codes(encoder: &mut LonePart, [train, test]: [&Split; 2]) -> Result<[Vec<f32>; 2]> {
    Ok([encoder.run_split(train)?, encoder.run_split(test)?])
}

/// Prints what representations are worth.
fn tell(probed: &Probed, what: &str) {
    say(&format!(
        "{} classes of {}, fitted on {} {what}, judged on {} test {what}",
        probed.classes, probed.data, probed.train_rows, probed.test_rows
    ));
    let row = |worth: &Worth| {
        let shares = [worth.linear_accuracy, worth.linear_train_accuracy, worth.neighbours_accuracy];
        let fixed = [worth.of.to_string(), worth.width.to_string()];
        fixed.into_iter().chain(shares.map(percents)).collect()
    };
    let rows: Vec<Vec<String>> = probed.representations.iter().map(row).collect();
    let nearest = format!("nearest {} ({})", probed.k, probed.distance);
    say(&table(&["accuracy of", "width", "linear", "linear, fitted rows", &nearest], &rows));
    for worth in probed.representations.iter().filter(|worth| !worth.linear_converged) {
        complain(&format!(
            "{}: the linear classifier had not converged after {} steps; a larger --l2 helps",
            worth.of, worth.linear_steps
        ));
    }
}
