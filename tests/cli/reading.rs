//! How data of one's own is read: the keys and flags that say so, and what is told of data that a model cannot use.

use std::path::Path;

use crate::program::{gpu_ae, succeed};

/// A folder of small pictures in a folder of one class.
fn photos() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("only")).unwrap();
    for number in 0..8u8 {
        let picture = image::GrayImage::from_fn(6, 5, |x, y| image::Luma([number * 20 + (x * y) as u8]));
        picture.save(folder.path().join(format!("only/{number}.png"))).unwrap();
    }
    folder
}

#[track_caller]
fn refused(arguments: &[&str], parts: &[&str]) {
    let output = gpu_ae(arguments);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    parts.iter().for_each(|part| assert!(message.contains(part), "'{part}' is not in: {message}"));
}

#[test]
fn keys_of_the_data_are_followed_wherever_it_is_read() {
    let (folder, out) = (photos(), tempfile::tempdir().unwrap());
    let (path, run) = (folder.path().to_str().unwrap(), out.path().join("run"));
    let [run, page] = [run, out.path().join("page.png")].map(|path| path.to_str().unwrap().to_string());
    let few = ["--set", "data.most_pixels=29"];
    let said = ["an image of 6x5 pixels, expected at most 29 in all", "data.most_pixels allows more"];
    refused(&[&["data", "info", path][..], &few].concat(), &said);
    refused(&[&["data", "preview", path, "--out", &page][..], &few].concat(), &said);
    refused(&[&["train", "--data", path, "--out", &run][..], &few].concat(), &said);
    assert!(!Path::new(&page).exists() && !Path::new(&run).exists());
    assert!(succeed(&["data", "info", path, "--set", "data.most_pixels=30"]).contains("grey images, 6 x 5"));
    assert!(succeed(&["data", "info", path, "--set", "data.size=3x2"]).contains("grey images, 3 x 2"));
    for key in ["epochs=3", "data.path=digits"] {
        refused(&["data", "info", path, "--set", key], &[&format!("--set {key}"), "data.most_pixels"]);
    }
    refused(&["data", "info", path, "--set", "data.most_pixel=3"], &["--set data.most_pixel=3", "most_pixels"]);
    refused(&["data", "info", path, "--set", "data.most_pixels"], &["expected KEY=VALUE"]);
    refused(&["data", "info", path, "--header", "true"], &["--header: has no effect", "is a folder of images"]);
}

#[test]
fn one_class_is_too_few_where_classes_are_told_apart() {
    let (folder, out) = (photos(), tempfile::tempdir().unwrap());
    let (path, run) = (folder.path().to_str().unwrap(), out.path().join("run"));
    let call = ["train", "--model", "classifier", "--data", path, "--out", run.to_str().unwrap(), "--device", "cpu"];
    refused(&call, &["--model classifier: expected rows of several classes", "one class"]);
    assert!(!run.exists());
}
