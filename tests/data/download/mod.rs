//! Downloads, against a small web server on this machine that misbehaves on demand.

mod folder;
mod mirrors;

use std::fs;
use std::path::Path;
use std::slice::from_ref;
use std::time::Duration;

use crate::files::gzip;
use crate::web_server::{Reply, STALL, Server};
use gpu_ae::data::download::{RemoteFile, Timeouts, fetch};
use gpu_ae::data::{self, Progress};
use gpu_ae::error::Error;
use sha2::{Digest, Sha256};

const TIMEOUTS: Timeouts =
    Timeouts { connect: Duration::from_secs(5), stall: STALL, slowest: 1000, total: Duration::from_secs(10) };

/// Content that spans several reads and does not compress to nothing.
fn content(seed: u32) -> Vec<u8> {
    let next = |state: &mut u32, _| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((*state >> 24) as u8)
    };
    (0..200_000).scan(seed, next).collect()
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Fetches one file called `a.gz` whose content is `content`; the kinds of progress are returned.
fn fetch_a(folder: &Path, content: &[u8], mirrors: &[String]) -> (Result<(), Error>, Vec<String>) {
    let sha256 = sha256(content);
    let file = RemoteFile { name: "a.gz", bytes: content.len() as u64, sha256: &sha256 };
    let mut steps = Vec::new();
    let result = fetch(&[file], folder, mirrors, TIMEOUTS, &mut |progress| {
        steps.push(match progress {
            Progress::Present { file } => format!("present {file}"),
            Progress::Started { file, .. } => format!("started {file}"),
            Progress::Received { .. } => return,
            Progress::MirrorFailed { reason, .. } => format!("failed {reason}"),
            Progress::Done { file, .. } => format!("done {file}"),
            _ => "other".to_owned(),
        });
    });
    (result, steps)
}

#[test]
fn files_arrive_whole_with_their_progress() {
    let contents = [content(1), content(2)];
    let hashes = contents.each_ref().map(|content| sha256(content));
    let files = [("a.gz", 0), ("b.gz", 1)].map(|(name, i)| RemoteFile { name, bytes: 200_000, sha256: &hashes[i] });
    let bodies = contents.each_ref().map(|content| gzip(content));
    let server = Server::start(bodies.iter().cloned().map(Reply::Body).collect());
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("made/on demand");
    let (mut totals, mut last, mut done) = (Vec::new(), 0, Vec::new());
    fetch(&files, &folder, from_ref(&server.url), TIMEOUTS, &mut |progress| match progress {
        Progress::Started { total, .. } => {
            totals.push(total.unwrap());
            last = 0;
        }
        Progress::Received { bytes, .. } => {
            assert!(bytes > last);
            last = bytes;
        }
        Progress::Done { bytes, .. } => {
            assert_eq!(bytes, last);
            done.push(bytes);
        }
        other => panic!("{other:?}"),
    })
    .unwrap();
    let lengths = bodies.each_ref().map(|body| body.len() as u64);
    assert_eq!(totals, lengths);
    assert_eq!(done, lengths);
    assert_eq!(names(&folder), ["a.gz", "b.gz"]);
    assert_eq!(fs::read(folder.join("b.gz")).unwrap(), bodies[1]);
    assert_eq!(server.finish(), ["/set/a.gz", "/set/b.gz"]);
}

#[test]
fn any_container_of_the_right_content_is_good() {
    let content = content(1);
    let members = [gzip(&content[..70_000]), gzip(&content[70_000..])].concat();
    for body in [Reply::Unmeasured(gzip(&content)), Reply::Body(members), Reply::Body(content.clone())] {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(vec![body]);
        fetch_a(dir.path(), &content, from_ref(&server.url)).0.unwrap();
        assert_eq!(names(dir.path()), ["a.gz"]);
        server.finish();
    }
}

#[test]
fn a_redirect_is_followed() {
    let content = content(1);
    let dir = tempfile::tempdir().unwrap();
    let target = Server::start(vec![Reply::Body(gzip(&content))]);
    let server = Server::start(vec![Reply::Redirect(format!("{}elsewhere", target.url))]);
    fetch_a(dir.path(), &content, from_ref(&server.url)).0.unwrap();
    assert_eq!(target.finish(), ["/set/elsewhere"]);
    server.finish();
}

#[test]
fn what_is_built_in_is_not_fetched() {
    let error = data::fetch("digits", None, &[], &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Usage(_)));
    assert!(error.to_string().contains("'digits'"), "{error}");
}
