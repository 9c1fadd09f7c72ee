//! Sets that others publish: where they are looked for, and that their archives are read as they lie.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::files::{gzip, idx_file};
use flate2::Compression;
use flate2::write::GzEncoder;
use gpu_ae::data::download::{RemoteFile, Timeouts, fetch};
use gpu_ae::data::{DataOptions, Dataset, Progress};
use gpu_ae::error::Result;
use sha2::{Digest, Sha256};

fn load(name: &str, folder: &Path) -> Result<Dataset> {
    gpu_ae::data::load(&DataOptions::of(name), Some(folder), 0, None)
}

/// MNIST's four files of a few rows, of 28 x 28.
fn write_four(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (side, rows) in [("train", 3u8), ("t10k", 2)] {
        let (dims, count) = ([u32::from(rows), 28, 28], usize::from(rows));
        let images = idx_file(&dims, &vec![rows; count * 784]);
        fs::write(folder.join(format!("{side}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{side}-labels-idx1-ubyte")), idx_file(&dims[..1], &vec![9; count])).unwrap();
    }
}

/// A batch of one record.
fn batch(labels: &[u8]) -> Vec<u8> {
    [labels, &[7; 3072]].concat()
}

fn write_tar(path: &Path, folder: &str, files: &[(&str, Vec<u8>)]) {
    let packed = GzEncoder::new(fs::File::create(path).unwrap(), Compression::fast());
    let mut tar = tar::Builder::new(packed);
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("{folder}/{name}"), &content[..]).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
}

#[test]
fn a_set_of_mnists_names_is_never_taken_for_another() {
    let folder = tempfile::tempdir().unwrap();
    write_four(folder.path());
    for name in ["fashion-mnist", "kmnist"] {
        let message = load(name, folder.path()).unwrap_err().to_string();
        assert!(message.contains(&format!("`gpu-ae data fetch {name} --data-dir")), "{message}");
    }
    for name in ["fashion-mnist", "FashionMNIST", "kmnist"] {
        write_four(&folder.path().join(name));
    }
    for below in ["", "FashionMNIST", "fashion-mnist"] {
        let data = load("fashion-mnist", &folder.path().join(below)).unwrap();
        assert_eq!((data.train.rows, data.test.rows, &data.encoding.classes[9][..]), (3, 2, "Ankle boot"));
        assert_eq!(data.name, "fashion-mnist");
    }
    assert_eq!(load("kmnist", folder.path()).unwrap().encoding.classes[9], "wo");
}

#[test]
fn cifar_is_read_from_its_archive_or_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("cifar10");
    fs::create_dir_all(&own).unwrap();
    let files =
        [("batches.meta.txt", b"a\n".to_vec()), ("data_batch_1.bin", batch(&[3])), ("test_batch.bin", batch(&[9]))];
    let message = load("cifar10", folder.path()).unwrap_err().to_string();
    assert!(message.contains("CIFAR-10 is missing: expected cifar-10-binary.tar.gz; looked in"), "{message}");
    write_tar(&own.join("cifar-10-binary.tar.gz"), "cifar-10-batches-bin", &files);
    let packed = load("cifar10", folder.path()).unwrap();
    assert_eq!((packed.train.rows, packed.test.labels[0], &packed.encoding.classes[9][..]), (1, 9, "truck"));
    let inner = own.join("cifar-10-batches-bin");
    fs::create_dir_all(&inner).unwrap();
    files.iter().for_each(|(name, content)| fs::write(inner.join(name), content).unwrap());
    assert_eq!(load("cifar10", folder.path()).unwrap(), packed);
    // The other set lies beside it.
    let hundred = [("train.bin", batch(&[19, 99])), ("test.bin", batch(&[0, 0]))];
    write_tar(&folder.path().join("cifar-100-binary.tar.gz"), "cifar-100-binary", &hundred);
    let data = load("cifar100", folder.path()).unwrap();
    assert_eq!((data.train.labels[0], data.classes()), (99, 100));
    let cut = fs::read(folder.path().join("cifar-100-binary.tar.gz")).unwrap();
    fs::write(folder.path().join("cifar-100-binary.tar.gz"), &cut[..cut.len() / 2]).unwrap();
    let message = load("cifar100", folder.path()).unwrap_err().to_string();
    assert!(message.contains("cifar-100-binary.tar.gz"), "{message}");
}

#[test]
fn the_balanced_split_of_emnist_is_read_from_its_archive() {
    let folder = tempfile::tempdir().unwrap();
    let mut zip = zip::ZipWriter::new(fs::File::create(folder.path().join("gzip.zip")).unwrap());
    let mut add = |name: String, content: &[u8]| {
        zip.start_file(format!("gzip/{name}"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&gzip(content)).unwrap();
    };
    for split in ["balanced", "letters"] {
        for side in ["train", "test"] {
            let image = [&[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2][..], &[1, 2, 3, 4]].concat();
            add(format!("emnist-{split}-{side}-images-idx3-ubyte.gz"), &image);
            add(format!("emnist-{split}-{side}-labels-idx1-ubyte.gz"), &[0, 0, 8, 1, 0, 0, 0, 1, 10]);
        }
        add(format!("emnist-{split}-mapping.txt"), b"0 48\n");
    }
    zip.finish().unwrap();
    let data = load("emnist", folder.path()).unwrap();
    assert_eq!((data.train.rows, data.test.rows, data.classes()), (1, 1, 47));
    assert_eq!((data.train.raw(0), data.encoding.class_name(data.train.labels[0])), (&[1, 3, 2, 4][..], "A"));
}

#[test]
fn a_file_is_right_by_its_content_or_as_it_is_published() {
    let folder = tempfile::tempdir().unwrap();
    let digest = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let packed = gzip(b"content");
    let (inner, outer) = (digest(b"content"), digest(&packed));
    let is_present = |name: &str, bytes: usize, sha256: &str| {
        fs::write(folder.path().join(name), &packed).unwrap();
        let (mut is_present, mirror) = (false, ["http://127.0.0.1:1/".to_string()]);
        let file = RemoteFile { name, bytes: bytes as u64, sha256 };
        let _ = fetch(&[file], folder.path(), &mirror, Timeouts::default(), &mut |progress| {
            is_present |= matches!(progress, Progress::Present { .. });
        });
        is_present
    };
    assert!(is_present("a.gz", 7, &inner) && is_present("a.gz", 7, &outer));
    assert!(is_present("a.tar.gz", packed.len(), &outer), "an archive is what it is");
    assert!(!is_present("a.tar.gz", packed.len(), &inner) && !is_present("a.gz", 8, &inner));
}
