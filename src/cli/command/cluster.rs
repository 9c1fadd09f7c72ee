//! `gpu-ae cluster`

use std::path::{Path, PathBuf};
use std::time::Instant;

use gpu_ae::config::RunConfig;
use gpu_ae::data::{self, Dataset};
use gpu_ae::report::{Band, image_grid, text_table, write_png};
use gpu_ae::study::cluster::{
    Adversarial, Agreement, Assignments, ClusterConfig, Clustering, Contingency, EpochLosses,
};
use gpu_ae::train::RunDir;
use gpu_ae::train::record::checkpoint::serialize;
use gpu_ae::{Error, Result, whole_file};
use serde::Serialize;

use crate::cli::flags::{DataFlags, DeviceFlag, open_device};
use crate::cli::output::{complain, say, say_json, tell};

/// Images of a cluster in the picture.
const NEAREST: usize = 16;

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
    /// Number of clusters
    #[arg(long, value_name = "N", default_value_t = 10)]
    clusters: usize,
    /// What keeps rows that are alike together: nothing, or virtual adversarial perturbations
    #[arg(long, value_enum, default_value_t = Augment::None)]
    augment: Augment,
    /// Widths of hidden layers, such as 512,256 [default: none, a linear encoder; vat: 400,400]
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    hidden: Option<Vec<usize>>,
    /// Passes over the training data [default: 5; vat: 20]
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    /// Length of a perturbation, as a share of the distance from its row to the tenth nearest one
    #[arg(long, value_name = "X", default_value_t = Adversarial::default().epsilon, allow_negative_numbers = true)]
    epsilon: f32,
    /// Weight of what perturbations change
    #[arg(long, value_name = "X", default_value_t = Adversarial::default().weight, allow_negative_numbers = true)]
    augment_weight: f32,
    /// Samples of a training step [default: 256; vat: 250]
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    /// Adam's step size [default: 0.001; vat: 0.01]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    lr: Option<f32>,
    /// L2 penalty on all parameters [default: 0.01; vat: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    weight_decay: Option<f32>,
    /// Weight of the balance between clusters [default: 2; vat: 4]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    balance: Option<f32>,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Directory to make; must not exist or be empty [default: runs/cluster-<data>-<seed>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What keeps rows that are alike together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Augment {
    /// Nothing beside the entropies
    None,
    /// Virtual adversarial perturbations
    Vat,
}

/// A line of `metrics.jsonl`.
#[derive(Serialize)]
struct Metrics {
    epoch: u32,
    seconds: f64,
    train_entropy: f64,
    train_divergence: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    train_adversarial: Option<f64>,
    test_entropy: f64,
    clusters_used: f64,
    #[serde(flatten)]
    agreement: Option<Agreement>,
}

impl Metrics {
    fn new(epoch: u32, seconds: f64, losses: EpochLosses, test: &Assignments, agreement: Option<Agreement>) -> Self {
        Metrics {
            epoch,
            seconds,
            train_entropy: losses.entropy,
            train_divergence: losses.divergence,
            train_adversarial: losses.adversarial,
            test_entropy: test.entropy,
            clusters_used: test.used,
            agreement,
        }
    }

    fn line(&self, epochs: u32) -> String {
        let agreement = self.agreement.map_or(String::new(), |a| {
            format!("  purity {:.3}  NMI {:.3}  ARI {:.3}  accuracy {:.3}", a.purity, a.nmi, a.ari, a.accuracy)
        });
        format!(
            "epoch {}/{epochs}  entropy {:.4}  divergence {:.4}  clusters used {:.2}{agreement}",
            self.epoch, self.train_entropy, self.train_divergence, self.clusters_used
        )
    }
}

pub fn run(args: Args) -> Result<()> {
    let quiet = args.quiet || args.json;
    let defaults = RunConfig::default();
    let vat = args.augment == Augment::Vat;
    let config = ClusterConfig {
        data: args.data.data.clone().unwrap_or(defaults.data),
        data_dir: args.data.data_dir.clone(),
        device: args.device.device.clone().unwrap_or(defaults.device),
        seed: args.seed,
        clusters: args.clusters,
        hidden: args.hidden.clone().unwrap_or(if vat { vec![400, 400] } else { Vec::new() }),
        epochs: args.epochs.unwrap_or(if vat { 20 } else { 5 }),
        batch_size: args.batch_size.unwrap_or(if vat { 250 } else { 256 }),
        lr: args.lr.unwrap_or(if vat { 1e-2 } else { 1e-3 }),
        weight_decay: args.weight_decay.unwrap_or(if vat { 0.0 } else { 1e-2 }),
        balance: args.balance.unwrap_or(if vat { 4.0 } else { 2.0 }),
        augment: vat.then(|| Adversarial {
            epsilon: args.epsilon,
            weight: args.augment_weight,
            ..Adversarial::default()
        }),
    };
    config.check()?;
    let path =
        args.out.unwrap_or_else(|| PathBuf::from("runs").join(format!("cluster-{}-{}", config.data, config.seed)));
    RunDir::check_free(&path)?;
    let data = data::load(&config.data, config.data_dir.as_deref(), config.seed)?;
    let device = open_device(&config.device, quiet)?;
    let mut clustering = Clustering::new(device, &config, &data)?;
    if !quiet {
        let widths: Vec<String> = config.hidden.iter().chain([&config.clusters]).map(ToString::to_string).collect();
        complain(&format!(
            "encoder {}-{} on {} ({} rows) with {}",
            data.train.row_bytes,
            widths.join("-"),
            data.name,
            data.train.rows,
            clustering.device_name()
        ));
    }
    start(&path, &config)?;
    let mut lines = String::new();
    let mut last = None;
    for epoch in 1..=config.epochs {
        let begin = Instant::now();
        let losses = clustering.epoch()?;
        let seconds = begin.elapsed().as_secs_f64();
        let test = clustering.assign()?;
        let table = Contingency::new(&test.clusters, &data.test.labels, config.clusters);
        let metrics = Metrics::new(epoch, seconds, losses, &test, table.agreement());
        lines += &serde_json::to_string(&metrics).map_err(|error| Error::Failed(format!("metrics: {error}")))?;
        lines.push('\n');
        // After every epoch: a run that is cut short has lost nothing but its pictures.
        whole_file::write(&path.join("metrics.jsonl"), lines.as_bytes(), "write the metrics")?;
        let encoder = serialize(&clustering.parameters()?, None)?;
        whole_file::write(&path.join("encoder.safetensors"), &encoder, "write the encoder")?;
        if !quiet {
            tell(&metrics.line(config.epochs));
        }
        last = Some((metrics, test, table));
    }
    let Some((metrics, test, table)) = last else { return Ok(()) };
    write(&path, &data, &test, &table)?;
    if let Some(what) = test.collapse().filter(|_| !args.quiet) {
        complain(what);
    }
    if args.json {
        return say_json(&metrics);
    }
    if !quiet {
        say(&shown(&table));
        tell(&format!("cluster run: {0}\ntable and picture: {0}/clusters.csv, clusters.png", path.display()));
    }
    Ok(())
}

/// Columns of the table of clusters and classes.
fn headers(table: &Contingency) -> Vec<String> {
    let classes = table.counts.first().map_or(0, Vec::len);
    [vec!["cluster".to_string(), "rows".into()], (0..classes).map(|class| format!("class {class}")).collect()].concat()
}

fn rows(table: &Contingency) -> Vec<Vec<String>> {
    let row = |(cluster, counts): (usize, &Vec<usize>)| {
        let total: usize = counts.iter().sum();
        [vec![cluster.to_string(), total.to_string()], counts.iter().map(ToString::to_string).collect()].concat()
    };
    table.counts.iter().enumerate().map(row).collect()
}

fn shown(table: &Contingency) -> String {
    let headers = headers(table);
    let headers: Vec<&str> = headers.iter().map(|header| header.trim_start_matches("class ")).collect();
    text_table(&headers, &rows(table)).trim_end().to_string()
}

/// Makes the folder, with the configuration.
fn start(path: &Path, config: &ClusterConfig) -> Result<()> {
    std::fs::create_dir_all(path).map_err(Error::io(path, "create"))?;
    let text = toml::to_string_pretty(config).map_err(|error| Error::Failed(format!("config.toml: {error}")))?;
    whole_file::write(&path.join("config.toml"), text.as_bytes(), "write the configuration")
}

fn write(path: &Path, data: &Dataset, test: &Assignments, table: &Contingency) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: &dyn std::fmt::Display| Error::Failed(format!("clusters.csv cannot be written: {error}"));
    writer.write_record(headers(table)).map_err(|error| failed(&error))?;
    for row in rows(table) {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    whole_file::write(&path.join("clusters.csv"), &bytes, "write the table")?;
    write_png(&path.join("clusters.png"), &picture(data, test, table.counts.len())?)
}

/// The test images that each cluster is most certain of, a row a cluster; black where it has no more.
fn picture(data: &Dataset, test: &Assignments, clusters: usize) -> Result<image::RgbImage> {
    let bytes = data.test.row_bytes;
    let captions: Vec<String> = (0..clusters).map(|cluster| format!("cluster {cluster}")).collect();
    let mut pixels: Vec<Vec<f32>> = Vec::new();
    for cluster in 0..clusters {
        let mut members: Vec<usize> = (0..test.clusters.len()).filter(|&row| test.clusters[row] == cluster).collect();
        members.sort_by(|&a, &b| test.certainty[b].total_cmp(&test.certainty[a]));
        let chosen = members.iter().take(NEAREST);
        let mut row: Vec<f32> = chosen
            .flat_map(|&row| &data.test.bytes[row * bytes..(row + 1) * bytes])
            .map(|&byte| f32::from(byte) / 255.0)
            .collect();
        row.resize(NEAREST * bytes, 0.0);
        pixels.push(row);
    }
    let bands: Vec<Band<'_>> = captions.iter().zip(&pixels).map(|(caption, pixels)| Band { caption, pixels }).collect();
    image_grid(&bands, data.image, NEAREST)
}
