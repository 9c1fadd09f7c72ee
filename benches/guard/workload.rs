//! What is run and timed, and on which rows.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use crate::{made, program};

/// Seconds that the epochs of a round take at least.
const WINDOW: f64 = 1.5;
/// Sides of the images, as of handwritten digits.
const SIDE: u32 = 28;

/// Rows in files of MNIST's format.
pub struct Data {
    folder: TempDir,
}

/// How many rows a workload goes through: software adapters take minutes for many on wide layers.
#[derive(Clone, Copy)]
enum Rows {
    Many,
    Few,
}

impl Rows {
    fn count(self) -> u32 {
        match self {
            Rows::Many => 60_000,
            Rows::Few => 8_192,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Rows::Many => "many",
            Rows::Few => "few",
        }
    }
}

impl Data {
    /// Random bytes, as many of them black as in handwritten digits.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn made() -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        for rows in [Rows::Many, Rows::Few] {
            made::images(&folder.path().join(rows.name()), rows.count(), SIDE)?;
        }
        Ok(Data { folder })
    }

    fn of(&self, rows: Rows) -> PathBuf {
        self.folder.path().join(rows.name())
    }
}

/// What is told of a workload.
#[derive(Clone, Copy, PartialEq)]
enum Metric {
    /// Samples a second over whole epochs.
    Speed,
    /// Seconds from the start of the process to the first loss, with no cache to read.
    FirstStep,
}

/// A command line, and what is told of it.
pub struct Workload {
    /// Its name in the table.
    pub title: String,
    arguments: Vec<String>,
    rows: Rows,
    metric: Metric,
}

/// Those of the table.
pub fn workloads() -> Vec<Workload> {
    let adapter = std::env::var("GPU_AE_TEST_DEVICE").unwrap_or("gpu".into());
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
    let config = |name: &str| format!("train --config {}", peers.join(format!("{name}.toml")).display());
    let model = |name: &str| format!("train --model {name}");
    let row = |what: &str, command: String, device: &str, batch: u32, rows: Rows, metric: Metric| {
        let told = match metric {
            Metric::Speed => "",
            Metric::FirstStep => ", first step, cold",
        };
        let place = if device == "cpu" { "CPU device" } else { "adapter" };
        let command = format!("{command} --device {device} --batch-size {batch}");
        let arguments = command.split_whitespace().map(String::from).collect();
        Workload { title: format!("{what}, batch {batch}, {place}{told}"), arguments, rows, metric }
    };
    let (many, few, speed) = (Rows::Many, Rows::Few, Metric::Speed);
    let vat = || "cluster --augment vat".to_string();
    vec![
        row("W1", config("w1"), "cpu", 128, many, speed),
        row("W1", config("w1"), "cpu", 1024, many, speed),
        row("W1", config("w1"), "cpu", 8192, many, speed),
        row("W2", config("w2"), "cpu", 1024, many, speed),
        row("vae", model("vae"), "cpu", 128, many, speed),
        row("denoising", model("denoising"), "cpu", 128, many, speed),
        row("cluster --augment vat", vat(), "cpu", 256, many, speed),
        row("W1", config("w1"), "cpu", 128, many, Metric::FirstStep),
        row("W1", config("w1"), &adapter, 128, few, speed),
        row("W1", config("w1"), &adapter, 8192, many, speed),
        row("W2", config("w2"), &adapter, 1024, few, speed),
        row("W1", config("w1"), &adapter, 128, many, Metric::FirstStep),
    ]
}

impl Workload {
    /// A figure with its unit.
    pub fn told(&self, figure: f64) -> String {
        match self.metric {
            Metric::Speed => format!("{} samples/s", self.bare(figure)),
            Metric::FirstStep => format!("{} s", self.bare(figure)),
        }
    }

    /// A figure without.
    pub fn bare(&self, figure: f64) -> String {
        match self.metric {
            Metric::Speed => format!("{figure:.0}"),
            Metric::FirstStep => format!("{figure:.2}"),
        }
    }

    /// How many times as good the first figure is.
    pub fn advantage(&self, ours: f64, theirs: f64) -> f64 {
        match self.metric {
            Metric::Speed => ours / theirs,
            Metric::FirstStep => theirs / ours,
        }
    }

    /// Epochs that fill the window; the first one is not timed.
    ///
    /// # Errors
    /// The program's complaint.
    pub fn epochs_of_window(&self, program: &Path, data: &Data) -> Result<u32, String> {
        if self.metric == Metric::FirstStep {
            return Ok(1);
        }
        let speed = self.figure(program, data, 2)?;
        Ok(1 + (WINDOW * speed / f64::from(self.rows.count())).ceil() as u32)
    }

    /// Runs it once.
    ///
    /// # Errors
    /// The program's complaint.
    pub fn figure(&self, program: &Path, data: &Data, epochs: u32) -> Result<f64, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let run = folder.path().join("run");
        let mut command = Command::new(program);
        command.args(&self.arguments).args(["--data", "mnist", "--epochs", &epochs.to_string()]);
        command.arg("--data-dir").arg(data.of(self.rows)).arg("--out").arg(&run);
        match self.metric {
            Metric::Speed => Ok(program::ran(command.arg("--quiet"), &run)?.samples_per_second),
            Metric::FirstStep => {
                command.env("XDG_CACHE_HOME", folder.path()).env("GPU_AE_CACHE", folder.path());
                command.env("MESA_SHADER_CACHE_DISABLE", "true");
                first_step(command.stdout(Stdio::null()).stderr(Stdio::piped()))
            }
        }
    }
}

/// Seconds until it says that the first step is done; it is stopped then.
fn first_step(command: &mut Command) -> Result<f64, String> {
    let begin = Instant::now();
    let mut process = command.spawn().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    let mut last = String::from("it ended without a word");
    let lines = process.stderr.take().map(BufReader::new).into_iter().flat_map(BufRead::lines);
    for line in lines.map_while(Result::ok) {
        if line.starts_with("first step") {
            let seconds = begin.elapsed().as_secs_f64();
            process.kill().and_then(|()| process.wait()).map_err(|error| error.to_string())?;
            return Ok(seconds);
        }
        last = line;
    }
    process.wait().map_err(|error| error.to_string())?;
    Err(last)
}
