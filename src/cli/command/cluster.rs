//! `gpu-ae cluster`

use std::path::PathBuf;
use std::time::Instant;

use gpu_ae::config::augment::Augment as Changes;
use gpu_ae::config::objective::clustering::{Adversarial, Clustering, MOST};
use gpu_ae::config::{MOST_BATCH, RunConfig, Said};
use gpu_ae::data::{Dataset, is_named, shape};
use gpu_ae::device::wait;
use gpu_ae::nn::BlockConfig;
use gpu_ae::nn::block::{ActivationBlock, BatchNormBlock, LinearBlock};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::report::{Strip, brief, image_sheet};
use gpu_ae::statistics::assignments::Assignments;
use gpu_ae::study::cluster::{encoder_file, plain_encoder};
use gpu_ae::train::RunDir;
use gpu_ae::train::record::export::Part;
use gpu_ae::{Error, Result, whole_file};

use crate::cli::flags::{ConfigFlags, DataFlags, DeviceFlag, number, seed, whole};
use crate::cli::interrupt::Signals;
use crate::cli::launch::{Launched, TrainingFlags};
use crate::cli::output::{say, tell};
use crate::cli::pictures::table;
use crate::cli::pictures::{leave, page};
use crate::cli::written::Table;

/// Most characters of a class's name above a column.
const NAME: usize = 20;

/// Images of a cluster in the picture.
const NEAREST: usize = 16;

#[derive(clap::Args)]
#[command(
    after_help = "An encoder with one output a cluster learns to be certain of every row and to use all clusters alike; \
labels are only used to judge it, and it does without. By default the encoder is linear; --augment vat makes it a network that must say \
the same of rows that are nearly the same, --augment affine of images that are shifted, turned and scaled a little.

Example:
  gpu-ae cluster --data photos --size 32x32 --clusters 8
  gpu-ae cluster --data flowers.csv --label species       as many clusters as species"
)]
pub struct Args {
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    device: DeviceFlag,
    #[command(flatten)]
    asked: Asked,
    /// Passes over the training data [default: 5; vat, affine: 20; of data of one's own as many as make 2,000 steps, at most 1,000, never fewer than that]
    #[arg(long, value_name = "N", value_parser = whole(1..=u32::MAX), allow_negative_numbers = true)]
    epochs: Option<u32>,
    /// Adam's step size [default: 0.001; vat, affine: 0.01]
    #[arg(long, value_name = "X", value_parser = number, allow_negative_numbers = true)]
    lr: Option<f32>,
    #[command(flatten)]
    training: TrainingFlags,
}

/// What a run is made with and keeps.
#[derive(clap::Args)]
struct Asked {
    /// Number of clusters [default: 10; of data of one's own that has classes: as many]
    #[arg(long, value_name = "N", value_parser = whole(2..=MOST), allow_negative_numbers = true,
        conflicts_with = "resume")]
    clusters: Option<usize>,
    /// What keeps rows that are alike together: nothing, virtual adversarial perturbations, images changed as a hand would, or both as vat,affine [default: none]
    #[arg(long, value_enum, value_name = "WHAT,WHAT", value_delimiter = ',', conflicts_with = "resume")]
    augment: Vec<Augment>,
    /// Widths of hidden layers, such as 512,256 [default: none, a linear encoder; vat, affine: 400,400]
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = whole(1..=WIDEST),
        allow_negative_numbers = true, conflicts_with = "resume")]
    hidden: Option<Vec<usize>>,
    /// Length of a perturbation, as a share of the distance from its row to the tenth nearest one [default: 0.2]
    #[arg(long, value_name = "X", value_parser = number, allow_negative_numbers = true, conflicts_with = "resume")]
    epsilon: Option<f32>,
    /// Weight of what perturbations or changed images change in the answers [default: 10]
    #[arg(long, value_name = "X", value_parser = number, allow_negative_numbers = true, conflicts_with = "resume")]
    augment_weight: Option<f32>,
    /// Samples of a training step [default: 256; vat, affine: 250; of data of one's own at most an eighth of the training rows, rounded down to a power of two, at least 8]
    #[arg(long, value_name = "N", value_parser = whole(1..=MOST_BATCH), allow_negative_numbers = true,
        conflicts_with = "resume")]
    batch_size: Option<usize>,
    /// L2 penalty on all parameters [default: 0.01; vat, affine: 0]
    #[arg(long, value_name = "X", value_parser = number, allow_negative_numbers = true, conflicts_with = "resume")]
    weight_decay: Option<f32>,
    /// Weight of the balance between clusters [default: 2; vat, affine: 4]
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
    /// Images shifted by up to a tenth, turned by up to 10 degrees, a tenth larger or smaller
    Affine,
}

/// Clusters if neither a flag nor classes say how many.
const USUAL: usize = 10;
/// Widest hidden layer.
const WIDEST: usize = 1 << 16;

impl Args {
    /// The configuration that these flags stand for.
    fn config(&self) -> Result<RunConfig> {
        let asked = &self.asked;
        let [vat, affine] = [Augment::Vat, Augment::Affine].map(|kind| asked.augment.contains(&kind));
        let withstands = vat || affine;
        let hidden = asked.hidden.clone().unwrap_or(if withstands { vec![400, 400] } else { Vec::new() });
        self.check()?;
        let mut config = RunConfig::model("cluster")?;
        let usual = Adversarial::default();
        let adversarial = Adversarial {
            epsilon: asked.epsilon.unwrap_or(usual.epsilon),
            weight: asked.augment_weight.unwrap_or(usual.weight),
            ..usual
        };
        config.clustering = Some(Clustering {
            balance: asked.balance.unwrap_or(if withstands { 4.0 } else { 2.0 }),
            consistency: asked.augment_weight.filter(|_| affine),
            adversarial: vat.then_some(adversarial),
        });
        config.augment = affine.then(Changes::affine);
        self.data.apply(&mut config.data);
        config.data_dir = self.data.data_dir.clone();
        config.device = self.device.device.clone().unwrap_or(config.device);
        config.seed = asked.seed.unwrap_or(0);
        config.epochs = self.epochs.unwrap_or(if withstands { 20 } else { 5 });
        config.batch_size = asked.batch_size.unwrap_or(if withstands { 250 } else { 256 });
        config.lr = self.lr.unwrap_or(if withstands { 1e-2 } else { 1e-3 });
        config.optimiser.weight_decay = Some(asked.weight_decay.unwrap_or(if withstands { 0.0 } else { 1e-2 }));
        let clusters = asked.clusters.unwrap_or(USUAL);
        config.encoder = hidden.iter().flat_map(|&width| layer(width, withstands)).collect();
        config.encoder.push(BlockConfig::linear(clusters, Activation::Identity));
        config.check()?;
        self.data.check_used(&config.data)?;
        // Now that all else is known to be right, since it may take a while to read.
        if !is_named(&config.data.path) {
            let data = shape(&config.data, None, config.seed)?;
            let (epochs, batch_size) = (self.epochs.is_some(), asked.batch_size.is_some());
            config.last(Said { epochs, batch_size, ..Said::default() }, data.train_rows);
            let classes = data.classes;
            let is_fit = asked.clusters.is_none() && (2..=MOST).contains(&classes);
            if let Some(last) = config.encoder.last_mut().filter(|_| is_fit) {
                *last = BlockConfig::linear(classes, Activation::Identity);
            }
        }
        Ok(config)
    }

    /// Refuses what makes no sense by the flag's own name, which the configuration does not know.
    fn check(&self) -> Result<()> {
        let refuse = |flag: &str, value: String, expected: &str| {
            Err(Error::Usage(format!("{flag} {value}: expected {expected}")))
        };
        let has = |kind: Augment| self.asked.augment.contains(&kind);
        if has(Augment::None) && self.asked.augment.len() > 1 {
            return Err(Error::Usage("--augment none: expected it by itself".into()));
        }
        let is_used = [has(Augment::Vat), has(Augment::Vat) || has(Augment::Affine)];
        let flags = [
            ("--epsilon", self.asked.epsilon, "vat"),
            ("--augment-weight", self.asked.augment_weight, "vat or affine"),
        ];
        for ((flag, value, kinds), _) in flags.into_iter().zip(is_used).filter(|(_, is_used)| !is_used) {
            if let Some(value) = value {
                return Err(Error::Usage(format!("{flag} {value}: has no effect; it is for --augment {kinds}")));
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

/// A hidden layer: of a network that must withstand changes it is normalised while it is trained.
fn layer(width: usize, normalised: bool) -> Vec<BlockConfig> {
    if !normalised {
        return vec![BlockConfig::linear(width, Activation::Relu)];
    }
    let linear = LinearBlock { linear: width, activation: Activation::Identity, bias: false };
    let relu = ActivationBlock { activation: Activation::Relu };
    vec![BlockConfig::Linear(linear), BlockConfig::Norm(BatchNormBlock::new()), BlockConfig::Activation(relu)]
}

pub fn run(args: Args, begin: Instant) -> Result<()> {
    let signals = Signals::listen()?;
    let quiet = args.training.is_quiet();
    let own = match args.training.processes.join()? {
        Some(own) if !own.leads() => return own.follow(&args.device, signals),
        own => own,
    };
    let mut launched = match &args.training.resume {
        Some(path) => {
            let flags =
                ConfigFlags { data: args.data.clone(), epochs: args.epochs, lr: args.lr, ..ConfigFlags::default() };
            let made = RunDir::open_network(path)?.read_config()?;
            if made.clustering.is_none() {
                let problem = "is no cluster run: 'gpu-ae train --resume' continues it";
                return Err(Error::input(path, problem));
            }
            args.training.resume(path, &flags, &args.device, own)?
        }
        None => {
            let config = args.config()?;
            let usual = PathBuf::from("runs").join(format!("cluster-{}-{}", config.data.short_name(), config.seed));
            let directory = match &args.training.out {
                Some(path) => RunDir::create(path)?,
                None => RunDir::numbered(&usual)?,
            };
            args.training.start(config, directory, None, None, own)?
        }
    };
    let directory = launched.train(&args.training, begin, signals)?;
    let groups = finish(&mut launched)?;
    page::write(&mut launched.run, &directory, &launched.data, &[CLUSTERS.into()])?;
    if args.training.json {
        return launched.say_outcome();
    }
    if !quiet {
        let headings: Vec<_> =
            groups.headings.iter().map(|heading| brief(heading.trim_start_matches("class "), NAME)).collect();
        let headings: Vec<&str> = headings.iter().map(AsRef::as_ref).collect();
        say(&crate::cli::terminal::table(&headings, &groups.rows()));
        launched.tell_where(args.training.profile);
        let path = launched.path.display();
        tell(&format!("table and picture: {path}/clusters.csv, clusters.png"));
        tell(&format!("encoder:       {path}/encoder.safetensors"));
        tell(&format!("all of it:     {path}/report.html"));
    }
    Ok(())
}

/// Name of the picture of the clusters.
pub const CLUSTERS: &str = "clusters.png";

/// Leaves the table, the picture and the encoder as plain layers.
pub fn finish(launched: &mut Launched) -> Result<Groups> {
    let Launched { run, config, data, path } = launched;
    let answers = wait(run.session().answers())?;
    let test = Assignments::new(&answers, config.code_width());
    let groups = Groups::new(&test, data, config.code_width());
    let mut table = Table::new(&groups.headings)?;
    groups.rows().into_iter().try_for_each(|row| table.push(row))?;
    table.write(&path.join("clusters.csv"), "write the table")?;
    leave(run, &path.join(CLUSTERS), &picture(data, &test, config.code_width())?)?;
    let state = wait(run.session().judged_state())?;
    let (blocks, plain) = plain_encoder(config, &state)?;
    let encoder = Part::encoder(config, &blocks, data.train.width)?.to_bytes(&encoder_file(&plain))?;
    whole_file::write(&path.join("encoder.safetensors"), &encoder, "write the encoder")?;
    Ok(groups)
}

/// Test rows of each cluster, and how many of them are of each class, if they have classes.
pub struct Groups {
    headings: Vec<String>,
    /// Rows of each cluster, and of each class among them.
    counts: Vec<(usize, Vec<usize>)>,
}

impl Groups {
    fn new(test: &Assignments, data: &Dataset, clusters: usize) -> Self {
        let classes: &[String] = if data.test.is_labelled() { &data.encoding.classes } else { &[] };
        let mut counts = vec![(0, vec![0; classes.len()]); clusters];
        for (row, &cluster) in test.clusters.iter().enumerate() {
            let (rows, of_classes) = &mut counts[cluster];
            *rows += 1;
            if let Some(count) = data.test.labels.get(row).and_then(|&class| of_classes.get_mut(usize::from(class))) {
                *count += 1;
            }
        }
        let heading = |class: &String| match class.parse::<f64>() {
            Ok(_) => format!("class {class}"),
            Err(_) => class.clone(),
        };
        let headings = ["cluster".to_string(), "rows".into()].into_iter().chain(classes.iter().map(heading)).collect();
        Groups { headings, counts }
    }

    /// The lines of the table.
    fn rows(&self) -> Vec<Vec<String>> {
        let row = |(cluster, (rows, classes)): (usize, &(usize, Vec<usize>))| {
            [cluster, *rows].iter().chain(classes).map(ToString::to_string).collect()
        };
        self.counts.iter().enumerate().map(row).collect()
    }
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
    let title = format!("The test {} of {} that each cluster is most certain of", data.encoding.words()[1], data.name);
    image_sheet(&title, &(0..clusters).map(strip).collect::<Vec<Strip>>(), data.image(), &[])
}
