//! Whatever the bytes of a file of arrays, it is read or refused by its name: no panic, no hang, no memory beyond what the
//! file holds. A few cases of fixed seed; `PROPTEST_CASES=10000` runs as many.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;

use super::*;
use crate::data::found::Silent;

/// Cases of an ordinary run.
const USUAL_CASES: u32 = 150;

fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(USUAL_CASES);
    ProptestConfig { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() }
}

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
        let length = bytes.len();
        if length == 0 {
            return;
        }
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

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let index = any::<Index>;
    let damage = prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, value)| Damage::Byte(at, value)),
        index().prop_map(Damage::Cut),
        (index(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(at, more)| Damage::Insert(at, more)),
        (index(), index()).prop_map(|(from, to)| Damage::Repeat(from, to)),
        (index(), any::<u8>()).prop_map(|(at, digit)| Damage::Digit(at, digit)),
    ];
    prop::collection::vec(damage, 1..4)
}

/// Reads a file of these bytes beside others, and checks what is found, or that what is refused is named.
fn check(path: &Path, bytes: &[u8], options: &DataOptions) -> Result<(), TestCaseError> {
    fs::write(path, bytes).unwrap();
    let folder = path.parent().unwrap().display().to_string();
    match read(path, options, &mut Silent) {
        Ok(Some(Found::Rows { shape, classes, parts })) => {
            for part in parts {
                // Nothing packed is in what is damaged here but deflate, which makes at most 1032 bytes of one.
                prop_assert!(
                    part.values.raw().len() <= 8 * 1032 * bytes.len() + 64 * 1024,
                    "{}",
                    part.values.raw().len()
                );
                let rows = part.values.len() / shape.values();
                prop_assert_eq!(rows * shape.values(), part.values.len());
                prop_assert!(part.labels.is_empty() || part.labels.len() == rows);
                prop_assert!(part.labels.iter().all(|&label| usize::from(label) < classes.len()));
            }
        }
        Ok(_) => {}
        Err(Error::Usage(_)) => {}
        Err(error) => prop_assert!(error.to_string().contains(&folder), "{folder} is not in: {error}"),
    }
    Ok(())
}

/// Damages a good file in every way, under a name.
fn fuzz(name: &str, good: &[u8], options: &DataOptions) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    proptest!(cases(), |(damages in damages(), any in prop::collection::vec(any::<u8>(), 0..300), is_any in 0u8..8)| {
        let mut bytes = if is_any == 0 { any } else { good.to_vec() };
        damages.iter().filter(|_| is_any > 0).for_each(|damage| damage.to(&mut bytes));
        check(&path, &bytes, options)?;
    });
}

fn numpy(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/numpy").join(name)).unwrap()
}

#[test]
fn npy_files_of_any_bytes() {
    let options = DataOptions::of("x.npy");
    for good in ["version_3.npy", "planes.npy", "records.npy"] {
        fuzz("x.npy", &numpy(good), &options);
    }
}

#[test]
fn npz_files_of_any_bytes() {
    let options = DataOptions::of("x.npz");
    for good in ["keras.npz", "texts.npz", "unnamed.npz"] {
        fuzz("x.npz", &numpy(good), &options);
    }
}

#[test]
fn labels_of_any_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let [rows, labels] = ["x.npy", "y.npy"].map(|name| folder.path().join(name));
    let options = DataOptions { label: Some("y.npy".into()), ..DataOptions::of("x.npy") };
    fs::write(&rows, numpy("version_3.npy")).unwrap();
    super::super::npy::write_labels(&labels, &[1, 2, 3]).unwrap();
    let good = fs::read(&labels).unwrap();
    proptest!(cases(), |(damages in damages())| {
        let mut bytes = good.clone();
        damages.iter().for_each(|damage| damage.to(&mut bytes));
        fs::write(&labels, &bytes).unwrap();
        if let Err(error) = read(&rows, &options, &mut Silent) {
            prop_assert!(error.to_string().contains("y.npy"), "{error}");
        }
    });
}

#[test]
fn idx_files_of_any_bytes() {
    let options = DataOptions::of("idx");
    let words = [&[0, 0, 0x0d, 2, 0, 0, 0, 3, 0, 0, 0, 2][..], &[63; 24]].concat();
    let bytes = [&[0, 0, 8, 4, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3][..], &[7; 24]].concat();
    fuzz("x-idx2-float", &words, &options);
    fuzz("x-idx4-ubyte", &bytes, &options);
}

#[test]
fn batches_of_any_bytes() {
    let good: Vec<u8> = (0..2u8).flat_map(|label| [&[label][..], &[7; 3072]].concat()).collect();
    fuzz("data_batch_1.bin", &good, &DataOptions::of("cifar"));
    let good: Vec<u8> = (0..2u8).flat_map(|label| [&[label, 50][..], &[7; 3072]].concat()).collect();
    fuzz("other.bin", &good, &DataOptions::of("cifar"));
}
