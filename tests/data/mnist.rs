//! The MNIST folder: where it is looked for, under which names, and what is said where it is not.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::files::{assert_refused, gzip, idx_file, pixels};
use gpu_ae::data::{self, ImageShape, set::mnist};
use gpu_ae::error::Error;

/// Writes a small MNIST of `train` and `test` rows in the given spelling of the names.
fn small_mnist(folder: &Path, train: u32, test: u32, spell: impl Fn(&str) -> String) {
    fs::create_dir_all(folder).unwrap();
    for (split, rows) in [("train", train), ("t10k", test)] {
        let images = idx_file(&[rows, 28, 28], &pixels(rows as usize * 784));
        let labels: Vec<u8> = (0..rows).map(|row| (row % 10) as u8).collect();
        let labels = idx_file(&[rows], &labels);
        for (stem, content) in [("images-idx3", images), ("labels-idx1", labels)] {
            let name = spell(&format!("{split}-{stem}-ubyte"));
            let content = if name.ends_with(".gz") { gzip(&content) } else { content };
            fs::write(folder.join(name), content).unwrap();
        }
    }
}

#[test]
fn mnist_is_found_in_every_spelling_in_the_folder_and_below() {
    let spellings: [fn(&str) -> String; 4] = [
        |name| name.to_owned(),
        |name| format!("{name}.gz"),
        |name| name.replacen("-idx", ".idx", 1),
        |name| format!("{}.gz", name.replacen("-idx", ".idx", 1)),
    ];
    for spell in spellings {
        for sub_folder in ["", "mnist"] {
            let dir = tempfile::tempdir().unwrap();
            small_mnist(&dir.path().join(sub_folder), 12, 3, spell);
            let set = data::load(&"mnist".into(), Some(dir.path()), 0, None).unwrap();
            assert_eq!(set.name, "mnist");
            assert_eq!(set.image(), ImageShape { height: 28, width: 28, channels: 1 });
            assert_eq!((set.train.rows, set.test.rows), (12, 3));
            assert_eq!(*set.train.device_rows(), *pixels(12 * 784));
            assert_eq!(set.train.labels[9..], [9, 0, 1]);
            assert_eq!(set.test.labels, [0, 1, 2]);
        }
    }
}

#[test]
fn missing_mnist_lists_the_files_the_folders_and_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    small_mnist(dir.path(), 2, 2, str::to_owned);
    fs::remove_file(dir.path().join("t10k-labels-idx1-ubyte")).unwrap();
    let (here, below) = (dir.path().display(), dir.path().join("mnist"));
    let words = [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
        &format!("{here} (no t10k-labels-idx1-ubyte)"),
        &format!("{} (none)", below.display()),
        &format!("`gpu-ae data fetch mnist --data-dir {here}`"),
    ];
    assert_refused(mnist::load(Some(dir.path())), dir.path(), &words);

    let file = dir.path().join("train-images-idx3-ubyte");
    assert_refused(mnist::load(Some(&file)), &file, &["gpu-ae data fetch mnist"]);
}

#[test]
fn mnist_of_another_size_or_count_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    small_mnist(dir.path(), 4, 2, str::to_owned);
    let labels = dir.path().join("train-labels-idx1-ubyte");
    fs::write(&labels, idx_file(&[3], &[0; 3])).unwrap();
    assert_refused(mnist::load(Some(dir.path())), &labels, &["expected 4 labels", "found 3"]);

    small_mnist(dir.path(), 4, 2, str::to_owned);
    let images = dir.path().join("t10k-images-idx3-ubyte");
    fs::write(&images, idx_file(&[2, 27, 28], &pixels(2 * 27 * 28))).unwrap();
    let words = ["expected images of 28 x 28", "found images of 27 x 28"];
    assert_refused(mnist::load(Some(dir.path())), &images, &words);
}

/// Run by [`the_environment_names_the_default_folder`] in a process of its own.
#[test]
#[ignore = "needs GPU_AE_DATA, set by the_environment_names_the_default_folder"]
fn default_folder_child() {
    let set = data::load(&"mnist".into(), None, 0, None).unwrap();
    assert_eq!((set.train.rows, set.test.rows), (7, 2));
}

#[test]
fn the_environment_names_the_default_folder() {
    let dir = tempfile::tempdir().unwrap();
    small_mnist(&dir.path().join("mnist"), 7, 2, str::to_owned);
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "mnist::default_folder_child", "--ignored"])
        .env("GPU_AE_DATA", dir.path())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let error = data::load(&"imagenet".into(), None, 0, None).unwrap_err();
    assert!(matches!(error, Error::Usage(_)));
    let message = error.to_string();
    for word in ["'imagenet'", "digits", "mnist"] {
        assert!(message.contains(word), "no {word:?} in: {message}");
    }
}
