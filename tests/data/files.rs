//! Files as tests need them: IDX, gzipped, on disk; and how a refusal of one is judged.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use gpu_ae::error::Error;

/// An IDX file of unsigned bytes.
pub fn idx_file(dims: &[u32], body: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dims.len() as u8];
    file.extend(dims.iter().flat_map(|dim| dim.to_be_bytes()));
    file.extend_from_slice(body);
    file
}

pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Bytes that don't compress to nothing and differ from their neighbours.
pub fn pixels(count: usize) -> Vec<u8> {
    (0..count).map(|i| (i * 37 + i / 251) as u8).collect()
}

/// Writes `bytes` to a new folder, under a name that says nothing about compression.
pub fn on_disk(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file-under-test");
    fs::write(&path, bytes).unwrap();
    (dir, path)
}

/// The error must be about `path` and hold every one of `words`.
#[track_caller]
pub fn assert_refused<T: std::fmt::Debug>(result: Result<T, Error>, path: &Path, words: &[&str]) -> String {
    let error = result.expect_err("a bad file was accepted");
    let Error::Input { path: named, .. } = &error else { panic!("not an input error: {error:?}") };
    assert_eq!(named, path);
    assert_eq!(error.exit_code(), 2);
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "no {word:?} in: {message}");
    }
    message
}
