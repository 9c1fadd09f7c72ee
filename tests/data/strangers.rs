//! Whatever a stranger's file holds, its reader gives an answer or an error that names the file; nothing panics. Seeded and
//! few, so that a failure is the same tomorrow: what they look for is far from subtle.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::anew::write_anew;
use crate::cases::cases;
use gpu_ae::config::{RunConfig, model_file};
use gpu_ae::data::format::{idx, npy};
use gpu_ae::device::tune::Cache;
use gpu_ae::device::{CpuDevice, Identity, wait};
use gpu_ae::error::Result;
use gpu_ae::model::graph::{DataShape, training};
use gpu_ae::plan::Fusion;
use gpu_ae::tensor::Ty;
use gpu_ae::train::record::export::export;
use gpu_ae::train::{Checkpoint, Run, RunDir, Session, Tuning};
use proptest::prelude::*;
use proptest::sample::Index;

/// What happens to a good file.
#[derive(Clone, Debug)]
enum Damage {
    /// A byte becomes another.
    Byte(Index, u8),
    /// The end is lost.
    Cut(Index),
    /// Something is put between.
    Insert(Index, Vec<u8>),
    /// A part comes once more.
    Repeat(Index, Index),
    /// A digit becomes another, which leaves texts texts.
    Digit(Index, u8),
}

impl Damage {
    fn to(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        match self {
            Damage::Byte(at, value) => bytes[at.index(length)] = *value,
            Damage::Cut(at) => bytes.truncate(at.index(length)),
            Damage::Insert(at, more) => drop(bytes.splice(at.index(length)..at.index(length), more.iter().copied())),
            Damage::Repeat(from, to) => {
                let (from, to) = (from.index(length), to.index(length));
                let part = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.splice(to..to, part);
            }
            Damage::Digit(at, digit) => {
                let digits: Vec<usize> = (0..length).filter(|&at| bytes[at].is_ascii_digit()).collect();
                if !digits.is_empty() {
                    bytes[digits[at.index(digits.len())]] = b'0' + digit % 10;
                }
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<Index>;
    prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, value)| Damage::Byte(at, value)),
        index().prop_map(Damage::Cut),
        (index(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(at, more)| Damage::Insert(at, more)),
        (index(), index()).prop_map(|(from, to)| Damage::Repeat(from, to)),
        (index(), any::<u8>()).prop_map(|(at, digit)| Damage::Digit(at, digit)),
        (index(), any::<u8>()).prop_map(|(at, digit)| Damage::Digit(at, digit)),
    ]
}

/// Any bytes, or those of `good` with some damage.
pub fn file(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let damaged = prop::collection::vec(damage(), 1..4).prop_map(move |damages| {
        let mut bytes = good.clone();
        damages.iter().for_each(|damage| damage.to(&mut bytes));
        bytes
    });
    prop_oneof![1 => prop::collection::vec(any::<u8>(), 0..300), 6 => damaged]
}

/// A folder for files of this test alone.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// An answer, or an error that names the file.
fn named<T>(read: Result<T>, path: &Path) -> Result<Option<T>, TestCaseError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            prop_assert!(
                error.to_string().contains(&path.display().to_string()),
                "{} is not in: {}",
                path.display(),
                error
            );
            Ok(None)
        }
    }
}

/// A run of a network of 8-3-8 before its first step, with everything that a checkpoint may hold.
struct Started {
    config: RunConfig,
    checkpoint: Checkpoint,
    bytes: Vec<u8>,
}

static STARTED: LazyLock<Started> = LazyLock::new(|| {
    let mut config = RunConfig::model("nmn").unwrap();
    for (key, value) in [("lambda", "0.5"), ("entropy.schedule.kind", "budget"), ("entropy.schedule.mse", "0.1")] {
        config.set("--set", key, value).unwrap();
    }
    let config = config.settled();
    let (folder, data) = (folder(), config.load_data().unwrap());
    let (device, directory) = (Box::new(CpuDevice::new()), RunDir::create(&folder.path().join("run")).unwrap());
    let tuning = Tuning::fixed(device.as_ref());
    let path = directory.checkpoint();
    Run::start(config.clone(), directory, device, &data, tuning, None, &mut |_, _| ()).unwrap();
    Started { config, checkpoint: Checkpoint::load(&path).unwrap(), bytes: fs::read(path).unwrap() }
});

/// Uses a checkpoint that was accepted in every way that needs no long time; errors are welcome.
fn used(checkpoint: &Checkpoint, folder: &Path) {
    let (_, _, _) = (checkpoint.epoch(), checkpoint.step(), checkpoint.weights());
    let features = checkpoint.features().unwrap();
    let _ = (checkpoint.wiring(), checkpoint.is_chain());
    let _ = export(&checkpoint.state, &checkpoint.config, features, folder);
    let Ok(data) = checkpoint.config.load_data() else { return };
    let (device, other) = (Box::new(CpuDevice::new()), Box::new(CpuDevice::new()));
    let choices = Tuning::or_static(checkpoint.tuning.as_ref(), device.as_ref());
    if let Ok(mut session) = Session::for_evaluation(device, &checkpoint.config, &data, &choices) {
        let _ = wait(session.restore(&checkpoint.state)).and_then(|()| wait(session.evaluate()));
    }
    if let Ok(mut session) = wait(Session::for_training(other, &checkpoint.config, &data, &choices, &mut |_, _| ())) {
        let _ = wait(session.restore(&checkpoint.state)).and_then(|()| session.train(3));
    }
}

/// A change to a checkpoint whose hashes are those of what it then holds.
#[derive(Clone, Debug)]
enum Change {
    /// A tensor has another shape and element type.
    Type(Index, Vec<usize>, bool),
    /// A word of a tensor is another.
    Word(Index, Index, u32),
    /// A word of the clock is another, often a small one.
    Clock(Index, u32),
    /// A tensor is not there.
    Missing(Index),
    /// The configuration has another value.
    Set(&'static str, u32),
}

fn change() -> impl Strategy<Value = Change> {
    let words = || prop_oneof![0u32..20, any::<u32>()];
    let key =
        prop::sample::select(vec!["width", "batch_size", "encoder.1.linear", "decoder.1.linear", "epochs", "tied"]);
    prop_oneof![
        (any::<Index>(), prop::collection::vec(0usize..9, 0..4), any::<bool>())
            .prop_map(|(at, dims, words)| Change::Type(at, dims, words)),
        (any::<Index>(), any::<Index>(), words()).prop_map(|(at, word, value)| Change::Word(at, word, value)),
        (any::<Index>(), words()).prop_map(|(at, value)| Change::Clock(at, value)),
        any::<Index>().prop_map(Change::Missing),
        (key, 0u32..70).prop_map(|(key, value)| Change::Set(key, value)),
    ]
}

impl Change {
    fn to(&self, checkpoint: &mut Checkpoint) {
        let name = |at: &Index| checkpoint.state.keys().nth(at.index(checkpoint.state.len())).cloned().unwrap();
        match self {
            Change::Type(at, dims, words) => {
                let ty = if *words { Ty::u32(dims) } else { Ty::f32(dims) };
                let bytes = vec![1; ty.bytes()];
                let name = name(at);
                checkpoint.state.insert(name, (ty, bytes));
            }
            Change::Word(at, word, value) => {
                let name = name(at);
                let bytes = &mut checkpoint.state.get_mut(&name).unwrap().1;
                if !bytes.is_empty() {
                    let word = word.index(bytes.len() / 4);
                    bytes[4 * word..][..4].copy_from_slice(&value.to_le_bytes());
                }
            }
            Change::Clock(at, value) => {
                let Some((_, bytes)) = checkpoint.state.get_mut("clock").filter(|(_, bytes)| !bytes.is_empty()) else {
                    return;
                };
                let word = at.index(bytes.len() / 4);
                bytes[4 * word..][..4].copy_from_slice(&value.to_le_bytes());
            }
            Change::Missing(at) => {
                let name = name(at);
                // Something must be left for the changes behind this one.
                if checkpoint.state.len() > 1 {
                    checkpoint.state.remove(&name);
                }
            }
            Change::Set(key, value) => {
                let value = if *key == "tied" { (value % 2 == 0).to_string() } else { value.to_string() };
                let _ = checkpoint.config.set("--set", key, &value);
            }
        }
    }
}

#[test]
fn checkpoints_of_any_bytes() {
    let folder = folder();
    let path = folder.path().join("checkpoint.safetensors");
    let damaged = prop::collection::vec(damage(), 1..4);
    proptest!(cases(100), |(damages in damaged)| {
        let mut bytes = STARTED.bytes.clone();
        damages.iter().for_each(|damage| damage.to(&mut bytes));
        write_anew(&path, &bytes);
        if let Some(read) = named(Checkpoint::load(&path), &path)? {
            prop_assert_eq!(&read, &STARTED.checkpoint, "damage went unnoticed");
        }
    });
}

#[test]
fn checkpoints_that_are_whole_and_make_no_sense() {
    let folder = folder();
    let path = folder.path().join("checkpoint.safetensors");
    let accepted = Cell::new(0);
    proptest!(cases(100), |(changes in prop::collection::vec(change(), 1..3))| {
        let mut checkpoint = STARTED.checkpoint.clone();
        changes.iter().for_each(|change| change.to(&mut checkpoint));
        checkpoint.replace(&path).unwrap();
        if let Some(read) = named(Checkpoint::load(&path), &path)? {
            accepted.set(accepted.get() + 1);
            used(&read, folder.path());
        }
    });
    let accepted = accepted.get();
    assert!(accepted > 10, "only {accepted} were good enough to be used");
}

#[test]
fn configurations_of_any_bytes() {
    let folder = folder();
    let path = folder.path().join("c.toml");
    let whole = STARTED.config.to_toml().unwrap();
    let good = prop_oneof![
        file(model_file("vae").unwrap().into()),
        file(model_file("cluster").unwrap().into()),
        file(whole.into_bytes())
    ];
    proptest!(cases(250), |(bytes in good)| {
        write_anew(&path, &bytes);
        if let Some(config) = named(RunConfig::read(&path, None, None), &path)? {
            prop_assert!(config.to_toml().is_ok());
            let config = config.settled();
            let digits = gpu_ae::data::shape(&"digits".into(), None, 0).unwrap();
            let _ = config.check_data(&digits, "digits");
            let _ = training(&config, DataShape { rows: 300, features: 784, kind: gpu_ae::data::ValueKind::Byte });
        }
    });
}

#[test]
fn metrics_of_any_bytes() {
    let folder = folder();
    fs::write(folder.path().join("config.toml"), "").unwrap();
    let run = RunDir::open(folder.path()).unwrap();
    let line = |epoch: u32| {
        format!(
            "{{\"epoch\":{epoch},\"step\":{},\"seconds\":0.5,\"samples_per_second\":600.0,\"train_loss\":0.1,\
             \"test_loss\":0.2,\"test_mse\":0.3}}\n",
            3 * epoch
        )
    };
    let good: String = (1..4).map(line).collect();
    proptest!(cases(150), |(bytes in file(good.into_bytes()))| {
        write_anew(&run.metrics(), &bytes);
        if let Some(read) = named(run.read_metrics(), &run.metrics())? {
            prop_assert!(read.len() <= bytes.split(|&byte| byte == b'\n').count());
            prop_assert!(run.cut_metrics(6).is_ok_and(|(kept, _)| kept.iter().all(|metrics| metrics.step <= 6)));
        }
    });
}

#[test]
fn arrays_of_any_bytes() {
    let folder = folder();
    let path = folder.path().join("codes.npy");
    npy::write_rows(&path, 3, &[0.5; 12]).unwrap();
    let good = fs::read(&path).unwrap();
    proptest!(cases(150), |(bytes in file(good), width in 0usize..5)| {
        write_anew(&path, &bytes);
        if let Some(read) = named(npy::read_rows(&path, width, "a code"), &path)? {
            prop_assert!(!read.is_empty() && read.len() % width == 0 && read.iter().all(|value| value.is_finite()));
        }
    });
}

#[test]
fn idx_files_of_any_bytes() {
    let folder = folder();
    let [images, labels] = ["images", "labels"].map(|name| folder.path().join(name));
    let pictures = [&[0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 2][..], &[7; 24]].concat();
    let classes = vec![0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 2, 3];
    let either = |wrong: bool, path: &PathBuf, other: &PathBuf| if wrong { path.clone() } else { other.clone() };
    proptest!(cases(150), |(first in file(pictures.clone()), second in file(classes.clone()), spoilt: bool)| {
        let [first, second] = if spoilt { [first, classes.clone()] } else { [pictures.clone(), second] };
        write_anew(&images, &first);
        write_anew(&labels, &second);
        // Counts that differ are said of the labels, with the images named beside.
        let path = either(spoilt, &images, &labels);
        if let Some(split) = named(idx::split(&images, &labels, 3, 2, 10), &path)? {
            prop_assert_eq!((split.values(0..split.rows).len(), split.labels.len()), (split.rows * 6, split.rows));
        }
    });
}

#[test]
fn tuning_caches_of_any_bytes() {
    let folder = folder();
    let identity = Identity { adapter: "an adapter".into(), driver: "1".into() };
    let cache = Cache::within(folder.path(), &identity);
    let kernels = [("linear relu 8x8 8x8 8".to_string(), "matmul_nt".to_string())].into();
    cache.remember("graph".into(), [Fusion::Linear].into(), kernels).unwrap();
    let good = fs::read(cache.path()).unwrap();
    proptest!(cases(150), |(bytes in file(good))| {
        write_anew(cache.path(), &bytes);
        named(cache.load(), cache.path())?;
    });
}
