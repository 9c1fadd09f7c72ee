//! Whatever the bytes of a file of arrays, it is read or refused by its name: no panic, no hang, no memory beyond what the
//! file holds.

use std::fs;
use std::path::Path;

use crate::anew::write_anew;
use crate::cases::cases;
use crate::strangers::file;
use gpu_ae::data::DataOptions;
use gpu_ae::data::format::array::read;
use gpu_ae::data::format::npy::write_labels;
use gpu_ae::data::found::{Found, Silent};
use gpu_ae::error::Error;
use proptest::prelude::*;

/// Cases of an ordinary run.
const USUAL_CASES: u32 = 150;

/// Reads a file of these bytes beside others, and checks what is found, or that what is refused is named.
fn check(path: &Path, bytes: &[u8], options: &DataOptions) -> Result<(), TestCaseError> {
    write_anew(path, bytes);
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
    proptest!(cases(USUAL_CASES), |(bytes in file(good.to_vec()))| check(&path, &bytes, options)?);
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
    write_labels(&labels, &[1, 2, 3]).unwrap();
    let good = fs::read(&labels).unwrap();
    proptest!(cases(USUAL_CASES), |(bytes in file(good))| {
        write_anew(&labels, &bytes);
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
