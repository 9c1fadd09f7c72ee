//! The folder of a download: what is there already stays, is replaced, or is swept up.

use std::fs::{self, File};
use std::slice::from_ref;
use std::time::{Duration, SystemTime};

use super::{content, fetch_a, names};
use crate::files::gzip;
use crate::web_server::{Reply, Server};
use gpu_ae::data::{self, set::mnist};
use gpu_ae::error::Error;

#[test]
fn a_valid_file_is_not_fetched_again() {
    let content = content(1);
    for body in [gzip(&content), content.clone()] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.gz"), &body).unwrap();
        let (result, steps) = fetch_a(dir.path(), &content, &["http://127.0.0.1:1/".into()]);
        result.unwrap();
        assert_eq!(steps, ["present a.gz"]);
        assert_eq!(fs::read(dir.path().join("a.gz")).unwrap(), body);
    }
}

#[test]
fn a_damaged_file_is_replaced_by_a_good_one_only() {
    let content = content(1);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.gz");
    let damaged = gzip(&content)[..500].to_vec();
    fs::write(&path, &damaged).unwrap();

    let server = Server::start(vec![Reply::Status(500)]);
    fetch_a(dir.path(), &content, from_ref(&server.url)).0.unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), damaged);
    server.finish();

    let server = Server::start(vec![Reply::Body(gzip(&content))]);
    fetch_a(dir.path(), &content, from_ref(&server.url)).0.unwrap();
    assert_eq!(fs::read(&path).unwrap(), gzip(&content));
    assert_eq!(names(dir.path()), ["a.gz"]);
    server.finish();
}

#[test]
fn what_a_killed_download_left_is_swept_up() {
    let content = content(1);
    let dir = tempfile::tempdir().unwrap();
    let old = dir.path().join(".gpu-ae-download-old");
    let running = dir.path().join(".gpu-ae-download-running");
    let day = Duration::from_secs(86_400);
    File::create(&old).unwrap().set_modified(SystemTime::now() - day).unwrap();
    fs::write(&running, b"").unwrap();
    fs::write(dir.path().join("a.gz"), gzip(&content)).unwrap();
    fetch_a(dir.path(), &content, &[]).0.unwrap();
    assert_eq!(names(dir.path()), [".gpu-ae-download-running", "a.gz"]);
}

#[test]
fn a_local_failure_stops_at_once() {
    let content = content(1);
    let dir = tempfile::tempdir().unwrap();
    // A folder cannot be replaced by a file.
    fs::create_dir_all(dir.path().join("a.gz/inside")).unwrap();
    let server = Server::start(vec![Reply::Body(gzip(&content))]);
    let mirrors = [server.url.clone(), "http://127.0.0.1:1/".into()];
    let (result, steps) = fetch_a(dir.path(), &content, &mirrors);
    assert!(matches!(result, Err(Error::Io { .. })), "{result:?}");
    assert_eq!(steps, ["started a.gz"]);
    assert_eq!(names(dir.path()), ["a.gz"]);
    server.finish();
}

#[test]
fn mnist_is_fetched_into_the_folder_that_will_be_read() {
    let [images, labels] = ["t10k-images.idx3-ubyte", "t10k-labels-idx1-ubyte"];
    // What is there already, and the folder that the rest must join.
    let cases: [(&[&str], &str); 5] = [
        (&[], "mnist"),
        (&[labels], ""),
        (&["mnist/t10k-labels-idx1-ubyte"], "mnist"),
        (&[images, labels, "mnist/t10k-labels-idx1-ubyte"], ""),
        (&[labels, "mnist/t10k-images.idx3-ubyte", "mnist/t10k-labels-idx1-ubyte"], "mnist"),
    ];
    for (already, expected) in cases {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("mnist")).unwrap();
        for name in already {
            fs::write(dir.path().join(name), b"damaged").unwrap();
        }
        let folder = if expected.is_empty() { dir.path().to_path_buf() } else { dir.path().join(expected) };
        let server = Server::start(vec![Reply::Status(404)]);
        let mirrors = [server.url.clone()];
        let error = data::fetch("mnist", Some(dir.path()), &mirrors, &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains(&format!("in {}\n", folder.display())), "{already:?}: {error}");
        assert!(error.to_string().contains(mnist::FILES[0].name), "{error}");
        assert_eq!(server.finish(), [format!("/set/{}", mnist::FILES[0].name)]);
    }
}
