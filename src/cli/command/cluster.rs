//! `gpu-ae cluster`

use std::path::{Path, PathBuf};
use std::time::Instant;

use gpu_ae::config::objective::clustering::{Adversarial, Clustering};
use gpu_ae::config::{MOST_BATCH, RunConfig};
use gpu_ae::data::Dataset;
use gpu_ae::nn::BlockConfig;
use gpu_ae::nn::block::{ActivationBlock, BatchNormBlock, LinearBlock};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::report::{Strip, brief, image_sheet, write_png};
use gpu_ae::statistics::agreement::Contingency;
use gpu_ae::statistics::assignments::Assignments;
use gpu_ae::study::cluster::{encoder_file, plain_encoder};
use gpu_ae::train::RunDir;
use gpu_ae::train::record::export::Part;
use gpu_ae::{Error, Result, whole_file};

use crate::cli::flags::{ConfigFlags, DataFlags, DeviceFlag, number, seed, whole};
use crate::cli::launch::{Launched, TrainingFlags};
use crate::cli::output::{say, tell};
use crate::cli::pictures::table;

/// Images of a cluster in the picture.
const NEAREST: usize = 16;
/// Most characters of a class's name in the terminal.
const NAME: usize = 16;

#[derive(clap::Args)]
#[command(
    after_help = "An encoder with one output a cluster learns to be certain of every row and to use all clusters alike; \
labels are only used to judge it. By default the encoder is linear; --augment vat makes it a network that must say \
the same of rows that are nearly the same."
)]
pub struct Args {
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    device: DeviceFlag,
    #[command(flatten)]
    asked: Asked,
    /// Passes over the training data [default: 5; vat: 20]
    #[arg(long, value_name = "N", value_parser = whole(1..=u32::MAX), allow_negative_numbers = true)]
    epochs: Option<u32>,
    /// Adam's step size [default: 0.001; vat: 0.01]
    #[arg(long, value_name = "X", value_parser = number, allow_negative_numbers = true)]
    lr: Option<f32>,
    #[command(flatten)]
    training: TrainingFlags,
}

/// What a run is made with and keeps.
#[derive(clap::Args)]
struct Asked {
    /// Number of clusters [default: 10]
    #[arg(long, value_name = "N", value_parser = whole(2..=4096usize), allow_negative_numbers = true,
        conflicts_with = "resume")]
    clusters: Option<usize>,
    /// What keeps rows that are alike together: nothing, or virtual adversarial perturbations [default: none]
    #[arg(long, value_enum, conflicts_with = "resume")]
    augment: Option<Augment>,
    /// Widths of hidden layers, such as 512,256 [default: none, a linear encoder; vat: 400,400]
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = whole(1..=WIDEST),
        allow_negative_numbers = true, conflicts_with = "resume")]
    hidden: Option<Vec<usize>>,
    /// Length of a perturbation, as a share of the distance from its row to the tenth nearest one [default: 0.2]
    #[arg(long, value_name = "X", value_parser = number, allow_negative_numbers = true, conflicts_with = "resume")]
    epsilon: Option<f32>,
    /// Weight of what perturbations change [default: 10]
    #[arg(long, value_name = "X", value_parser = number, allow_negative_numbers = true, conflicts_with = "resume")]
    augment_weight: Option<f32>,
    /// Samples of a training step [default: 256; vat: 250]
    #[arg(long, value_name = "N", value_parser = whole(1..=MOST_BATCH), allow_negative_numbers = true,
        conflicts_with = "resume")]
    batch_size: Option<usize>,
    /// L2 penalty on all parameters [default: 0.01; vat: 0]
    #[arg(long, value_name = "X", value_parser = number, allow_negative_numbers = true, conflicts_with = "resume")]
    weight_decay: Option<f32>,
    /// Weight of the balance between clusters [default: 2; vat: 4]
    #[arg(long, value_name = "X", value_parser = number, allow_negative_numbers = true, conflicts_with = "resume")]
    balance: Option<f32>,
    /// Seed of everything random [default: 0]
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true, conflicts_with = "resume")]
    seed: Option<u64>,
}

/// What keeps rows that are alike together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Augment {
    /// Nothing beside the entropies
    None,
    /// Virtual adversarial perturbations
    Vat,
}

/// Widest hidden layer.
const WIDEST: usize = 1 << 16;

impl Args {
    /// The configuration that these flags stand for.
    fn config(&self) -> Result<RunConfig> {
        let (asked, vat) = (&self.asked, self.asked.augment == Some(Augment::Vat));
        let clusters = asked.clusters.unwrap_or(10);
        let hidden = asked.hidden.clone().unwrap_or(if vat { vec![400, 400] } else { Vec::new() });
        self.check()?;
        let mut config = RunConfig::model("cluster")?;
        let usual = Adversarial::default();
        let adversarial = Adversarial {
            epsilon: asked.epsilon.unwrap_or(usual.epsilon),
            weight: asked.augment_weight.unwrap_or(usual.weight),
            ..usual
        };
        config.clustering = Some(Clustering {
            balance: asked.balance.unwrap_or(if vat { 4.0 } else { 2.0 }),
            adversarial: vat.then_some(adversarial),
        });
        config.encoder = hidden.iter().flat_map(|&width| layer(width, vat)).collect();
        config.encoder.push(BlockConfig::linear(clusters, Activation::Identity));
        self.data.apply(&mut config.data);
        config.data_dir = self.data.data_dir.clone();
        config.device = self.device.device.clone().unwrap_or(config.device);
        config.seed = asked.seed.unwrap_or(0);
        config.epochs = self.epochs.unwrap_or(if vat { 20 } else { 5 });
        config.batch_size = asked.batch_size.unwrap_or(if vat { 250 } else { 256 });
        config.lr = self.lr.unwrap_or(if vat { 1e-2 } else { 1e-3 });
        config.optimiser.weight_decay = Some(asked.weight_decay.unwrap_or(if vat { 0.0 } else { 1e-2 }));
        config.check()?;
        self.data.check_used(&config.data)?;
        Ok(config)
    }

    /// Refuses what makes no sense by the flag's own name, which the configuration does not know.
    fn check(&self) -> Result<()> {
        let refuse = |flag: &str, value: String, expected: &str| {
            Err(Error::Usage(format!("{flag} {value}: expected {expected}")))
        };
        if self.asked.augment != Some(Augment::Vat) {
            let of_vat = [("--epsilon", self.asked.epsilon), ("--augment-weight", self.asked.augment_weight)];
            if let Some((flag, Some(value))) = of_vat.into_iter().find(|(_, value)| value.is_some()) {
                return Err(Error::Usage(format!("{flag} {value}: has no effect; it is for --augment vat")));
            }
        }
        let numbers = [
            ("--weight-decay", self.asked.weight_decay),
            ("--balance", self.asked.balance),
            ("--epsilon", self.asked.epsilon),
            ("--augment-weight", self.asked.augment_weight),
        ];
        match numbers.into_iter().find(|(_, value)| value.is_some_and(|value| !(value.is_finite() && value >= 0.0))) {
            Some((flag, Some(value))) => refuse(flag, value.to_string(), "a number of 0 or more"),
            _ => Ok(()),
        }
    }
}

/// A hidden layer: under perturbations it is normalised while it is trained.
fn layer(width: usize, normalised: bool) -> Vec<BlockConfig> {
    if !normalised {
        return vec![BlockConfig::linear(width, Activation::Relu)];
    }
    let linear = LinearBlock { linear: width, activation: Activation::Identity, bias: false };
    let relu = ActivationBlock { activation: Activation::Relu };
    vec![BlockConfig::Linear(linear), BlockConfig::Norm(BatchNormBlock::new()), BlockConfig::Activation(relu)]
}

pub fn run(args: Args, begin: Instant) -> Result<()> {
    let quiet = args.training.is_quiet();
    let mut launched = match &args.training.resume {
        Some(path) => {
            let flags =
                ConfigFlags { data: args.data.clone(), epochs: args.epochs, lr: args.lr, ..ConfigFlags::default() };
            let made = RunDir::open_network(path)?.read_config()?;
            if made.clustering.is_none() {
                let problem = "is no cluster run: 'gpu-ae train --resume' continues it";
                return Err(Error::input(path, problem));
            }
            args.training.resume(path, &flags, &args.device)?
        }
        None => {
            let config = args.config()?;
            let usual = PathBuf::from("runs").join(format!("cluster-{}-{}", config.data.short_name(), config.seed));
            let directory = match &args.training.out {
                Some(path) => RunDir::create(path)?,
                None => RunDir::numbered(&usual)?,
            };
            args.training.start(config, directory, None, None)?
        }
    };
    launched.train(begin, quiet)?;
    let sorted = finish(&mut launched)?;
    if args.training.json {
        return launched.say_outcome();
    }
    if !quiet {
        say(&shown(&sorted, &launched.data));
        launched.tell_where(args.training.profile);
        let path = launched.path.display();
        tell(&format!("table and picture: {path}/clusters.csv, clusters.png"));
        tell(&format!("encoder:       {path}/encoder.safetensors"));
    }
    Ok(())
}

/// What is in each cluster.
pub struct Sorted {
    /// Rows of each class, where rows have classes.
    table: Contingency,
    /// All rows.
    sizes: Vec<usize>,
}

/// Leaves the table, the picture and the encoder as plain layers.
pub fn finish(launched: &mut Launched) -> Result<Sorted> {
    let Launched { run, config, data, path } = launched;
    let answers = run.session().answers()?;
    let test = Assignments::new(&answers, config.code_width());
    let mut sizes = vec![0; config.code_width()];
    test.clusters.iter().for_each(|&cluster| sizes[cluster] += 1);
    let table = Contingency::new(&test.clusters, &data.test.labels, config.code_width());
    let sorted = Sorted { table, sizes };
    write(path, data, &test, &sorted)?;
    let state = run.session().state()?;
    let (blocks, plain) = plain_encoder(config, &state)?;
    let encoder = Part::encoder(config, &blocks, data.train.width)?.to_bytes(&encoder_file(&plain))?;
    whole_file::write(&path.join("encoder.safetensors"), &encoder, "write the encoder")?;
    Ok(sorted)
}

/// Columns of the table of clusters and classes.
fn headers(table: &Contingency, data: &Dataset) -> Vec<String> {
    let classes = table.counts.first().map_or(0, Vec::len);
    let classes = (0..classes).map(|class| format!("class {}", data.encoding.class_name(class as u16)));
    [vec!["cluster".to_string(), "rows".into()], classes.collect()].concat()
}

fn rows(Sorted { table, sizes }: &Sorted) -> Vec<Vec<String>> {
    let counts = |cluster: usize| table.counts.get(cluster).into_iter().flatten().map(ToString::to_string);
    let row = |(cluster, size): (usize, &usize)| {
        [cluster.to_string(), size.to_string()].into_iter().chain(counts(cluster)).collect()
    };
    sizes.iter().enumerate().map(row).collect()
}

fn shown(sorted: &Sorted, data: &Dataset) -> String {
    let headers = headers(&sorted.table, data);
    let headers: Vec<_> = headers.iter().map(|header| brief(header.trim_start_matches("class "), NAME)).collect();
    let headers: Vec<&str> = headers.iter().map(AsRef::as_ref).collect();
    crate::cli::terminal::table(&headers, &rows(sorted))
}

fn write(path: &Path, data: &Dataset, test: &Assignments, sorted: &Sorted) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: &dyn std::fmt::Display| Error::Failed(format!("clusters.csv cannot be written: {error}"));
    writer.write_record(headers(&sorted.table, data)).map_err(|error| failed(&error))?;
    for row in rows(sorted) {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    whole_file::write(&path.join("clusters.csv"), &bytes, "write the table")?;
    write_png(&path.join("clusters.png"), &picture(data, test, sorted.sizes.len())?)
}

/// The test images that each cluster is most certain of, a row a cluster; of a table, how the rows of each differ from the
/// rest.
fn picture(data: &Dataset, test: &Assignments, clusters: usize) -> Result<image::RgbImage> {
    let name = |cluster: usize| format!("cluster {cluster}");
    if let Some(columns) = &data.encoding.columns {
        let title =
            format!("How the test rows of {} in each cluster differ from the mean of all, in deviations", data.name);
        let values = data.test.values(0..data.test.rows);
        return table::groups(&title, columns, &values, &test.clusters, (0..clusters).map(name).collect());
    }
    let strip = |cluster: usize| {
        let mut members: Vec<usize> = (0..test.clusters.len()).filter(|&row| test.clusters[row] == cluster).collect();
        members.sort_by(|&a, &b| test.certainty[b].total_cmp(&test.certainty[a]));
        let chosen = members.iter().take(NEAREST);
        let pixels: Vec<f32> = chosen.flat_map(|&row| data.test.values(row..row + 1)).collect();
        Strip { caption: name(cluster), headings: Vec::new(), pixels: data.encoding.shown(&pixels) }
    };
    let title = format!("The test images of {} that each cluster is most certain of", data.name);
    image_sheet(&title, &(0..clusters).map(strip).collect::<Vec<Strip>>(), data.image(), &[])
}
