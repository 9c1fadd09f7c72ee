//! The program as its users meet it: a process, in a folder with a small data set.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use gpu_ae::data::digits;
use safetensors::SafeTensors;
use serde_json::Value;

/// What trains on the small data set, on the CPU device.
pub const TRAIN: &str = "train --data mnist --data-dir data --device cpu";
/// Rows of the small data set.
pub const ROWS: [usize; 2] = [600, 100];

/// A folder that the program is run in, with `data/`: 600 + 100 images in MNIST's format.
pub struct Place {
    folder: tempfile::TempDir,
}

/// What a run of the program came to.
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The files of the small data set: name and content. Two are gzipped, two are not.
fn data_files() -> &'static [(String, Vec<u8>)] {
    static FILES: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    FILES.get_or_init(|| {
        let set = digits::dataset(1, ROWS[0], ROWS[1]).unwrap();
        let mut files = Vec::new();
        for (prefix, split) in [("train", &set.train), ("t10k", &set.test)] {
            let rows = (split.rows as u32).to_be_bytes();
            let side = 28u32.to_be_bytes();
            let images = [&[0, 0, 8, 3], &rows[..], &side, &side, &split.bytes].concat();
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&images).unwrap();
            files.push((format!("{prefix}-images-idx3-ubyte.gz"), encoder.finish().unwrap()));
            files.push((format!("{prefix}-labels-idx1-ubyte"), [&[0, 0, 8, 1], &rows[..], &split.labels].concat()));
        }
        files
    })
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        for (name, content) in data_files() {
            fs::write(folder.path().join("data").join(name), content).unwrap();
        }
        Place { folder }
    }

    /// A place with a run of two epochs in `run`.
    pub fn with_run() -> Self {
        let place = Place::new();
        place.run(&format!("{TRAIN} --epochs 2 --out run --quiet")).done();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// Names in a folder, sorted, temporary and hidden ones included.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Name and content of every file of a folder.
    pub fn contents(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        self.names(folder).into_iter().map(|name| (name.clone(), self.read(&format!("{folder}/{name}")))).collect()
    }

    /// Copies a folder of files.
    pub fn copy(&self, from: &str, to: &str) {
        fs::create_dir(self.path(to)).unwrap();
        self.contents(from).into_iter().for_each(|(name, content)| self.write(&format!("{to}/{name}"), content));
    }

    /// The program with these arguments, separated by spaces, ready to start.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("gpu-ae"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env("GPU_AE_DATA", self.path("no data by default"))
            // Some drivers complain to stderr when it is missing, which is no message of ours.
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &str) -> Outcome {
        Outcome::of(self.command(arguments).output().unwrap(), arguments)
    }

    /// The lines of a run's `metrics.jsonl`.
    pub fn metrics(&self, run: &str) -> Vec<Value> {
        self.text(&format!("{run}/metrics.jsonl")).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The same without what depends on time.
    pub fn timeless_metrics(&self, run: &str) -> Vec<Value> {
        let mut metrics = self.metrics(run);
        for line in &mut metrics {
            for key in ["seconds", "samples_per_second"] {
                line.as_object_mut().unwrap().remove(key).unwrap();
            }
        }
        metrics
    }

    /// Element type, shape and bytes of the tensors of a safetensors file.
    pub fn tensors(&self, file: &str) -> Tensors {
        let bytes = self.read(file);
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let part = |(name, view): (String, safetensors::tensor::TensorView<'_>)| {
            (name, (format!("{:?}", view.dtype()), view.shape().to_vec(), view.data().to_vec()))
        };
        tensors.tensors().into_iter().map(part).collect()
    }

    /// The devices to test on: the CPU device and, if this machine has one, an adapter.
    ///
    /// No test skips in silence: with `GPU_AE_REQUIRE_GPU=1` a missing adapter is a failure, and
    /// `GPU_AE_TEST_DEVICE` picks one of several.
    pub fn devices(&self) -> Vec<String> {
        let outcome = self.run("devices --json").done();
        let adapters: Vec<Value> = serde_json::from_str(&outcome.stdout).unwrap();
        let mut devices = vec!["cpu".to_string()];
        if adapters.is_empty() {
            let required = std::env::var("GPU_AE_REQUIRE_GPU").is_ok_and(|value| value == "1");
            assert!(!required, "GPU_AE_REQUIRE_GPU is set and there is no adapter");
            println!("NO ADAPTER, proved on the CPU device only");
        } else {
            devices.push(std::env::var("GPU_AE_TEST_DEVICE").unwrap_or("gpu".into()));
        }
        devices
    }
}

pub type Tensors = BTreeMap<String, (String, Vec<usize>, Vec<u8>)>;

impl Outcome {
    /// What every run must keep to, whatever it was asked: it ends by itself and does not panic.
    #[track_caller]
    pub fn of(output: Output, arguments: &str) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert!(!stderr.contains("panicked"), "gpu-ae {arguments}: {stderr}");
        let code = output.status.code().unwrap_or_else(|| panic!("gpu-ae {arguments}: {}", output.status));
        Outcome { code, stdout, stderr }
    }

    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self
    }

    /// Ended with this code and one error that has all these words; nothing was printed as a result.
    #[track_caller]
    pub fn refused(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stderr.matches("error:").count(), 1, "{}", self.stderr);
        let (_, message) = self.stderr.split_once("error:").unwrap();
        for word in words {
            assert!(message.contains(word), "no '{word}' in: {message}");
        }
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{}", self.stdout);
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// Decodes a picture and makes sure that something is on it; returns width and height.
#[track_caller]
pub fn picture(path: &Path) -> (u32, u32) {
    let image = image::open(path).unwrap().to_luma8();
    let (least, most) = image.as_raw().iter().fold((255, 0), |(least, most), &p| (p.min(least), p.max(most)));
    assert!(most > least + 60, "{} is blank: {least} to {most}", path.display());
    image.dimensions()
}
