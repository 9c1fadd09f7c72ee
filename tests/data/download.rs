//! Downloads, against a small web server on this machine that misbehaves on demand.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::slice::from_ref;
use std::time::{Duration, Instant, SystemTime};

use crate::web_server::{Reply, STALL, Server};
use flate2::Compression;
use flate2::write::GzEncoder;
use gpu_ae::data::Progress;
use gpu_ae::data::download::{RemoteFile, Timeouts, fetch};
use gpu_ae::data::{self, mnist};
use gpu_ae::error::Error;
use sha2::{Digest, Sha256};

const TIMEOUTS: Timeouts =
    Timeouts { connect: Duration::from_secs(5), stall: STALL, slowest: 1000, total: Duration::from_secs(10) };

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

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

/// The first mirror does `reply`, the second is good: the file must come from the second, the first
/// must be blamed by `reason`, and nothing else may be left behind.
#[track_caller]
fn falls_back(reply: Reply, reason: &str) {
    let content = content(1);
    let dir = tempfile::tempdir().unwrap();
    let bad = Server::start(vec![reply]);
    let good = Server::start(vec![Reply::Body(gzip(&content))]);
    let (result, steps) = fetch_a(dir.path(), &content, &[bad.url.clone(), good.url.clone()]);
    result.unwrap();
    let failed: Vec<_> = steps.iter().filter(|step| step.starts_with("failed")).collect();
    assert_eq!(failed.len(), 1, "{steps:?}");
    assert!(failed[0].contains(reason), "no {reason:?} in {failed:?}");
    assert_eq!(steps.last().unwrap(), "done a.gz");
    assert_eq!(names(dir.path()), ["a.gz"]);
    assert_eq!(fs::read(dir.path().join("a.gz")).unwrap(), gzip(&content));
    assert_eq!((bad.finish().len(), good.finish().len()), (1, 1));
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
fn after_a_404_the_next_mirror_is_tried() {
    falls_back(Reply::Status(404), "404");
}

#[test]
fn after_a_wrong_hash_the_next_mirror_is_tried() {
    falls_back(Reply::Body(gzip(&content(2))), "SHA-256");
}

#[test]
fn after_content_of_wrong_length_the_next_mirror_is_tried() {
    let right = content(1);
    falls_back(Reply::Body(gzip(&right[1..])), "expected 200000 bytes of content, found 199999");
    falls_back(Reply::Body(gzip(&[&right[..], b"x"].concat())), "200000 bytes of content");
}

#[test]
fn a_web_page_in_place_of_the_file_is_refused() {
    falls_back(Reply::Body(b"<html>Please log in</html>".to_vec()), "found 26");
}

#[test]
fn after_a_truncated_body_the_next_mirror_is_tried() {
    let body = gzip(&content(1));
    let half = body[..body.len() / 2].to_vec();
    falls_back(Reply::Promise(body.len() as u64, half.clone()), "broke off after");
    falls_back(Reply::Chunk(half.clone()), "broke off after");
    // Nothing but the content itself can tell here.
    falls_back(Reply::Unmeasured(half), "expected intact content");
}

#[test]
fn after_a_closed_connection_the_next_mirror_is_tried() {
    falls_back(Reply::Close, "");
}

#[test]
fn after_a_stall_the_next_mirror_is_tried() {
    let start = Instant::now();
    falls_back(Reply::Stall(gzip(&content(1))[..1000].to_vec()), "broke off after 1000 bytes: timeout");
    assert!(start.elapsed() < TIMEOUTS.total);
}

#[test]
fn after_a_trickle_the_next_mirror_is_tried() {
    let start = Instant::now();
    falls_back(Reply::Trickle(gzip(&content(1))), "too slow: expected at least 1000 bytes a second");
    assert!((STALL..TIMEOUTS.total / 2).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[test]
fn a_download_has_a_size_limit() {
    falls_back(Reply::Promise(1 << 40, vec![0; 10]), "offered 1099511627776");
    falls_back(Reply::Unmeasured(vec![7; 1 << 20]), "expected at most");
    // A gzip stream of acceptable size that would fill the disk.
    falls_back(Reply::Body(gzip(&vec![0; 20 << 20])), "200000 bytes of content, found more");
}

#[test]
fn when_all_mirrors_fail_each_is_listed_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let servers = [
        Server::start(vec![Reply::Status(503)]),
        Server::start(vec![Reply::Body(gzip(&content(2)))]),
        Server::start(vec![Reply::Close]),
    ];
    // Nobody listens at the last address.
    let mut mirrors: Vec<_> = servers.iter().map(|server| server.url.clone()).collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    mirrors.push(format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);

    let (result, steps) = fetch_a(dir.path(), &content(1), &mirrors);
    let error = result.unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let message = error.to_string();
    for mirror in &mirrors {
        let url = format!("{}/a.gz: ", mirror.trim_end_matches('/'));
        assert!(message.contains(&url), "no {url} in: {message}");
    }
    for word in ["a.gz", "503", "SHA-256"] {
        assert!(message.contains(word), "no {word} in: {message}");
    }
    assert_eq!(steps.iter().filter(|step| step.starts_with("failed")).count(), 4);
    assert_eq!(names(dir.path()), [""; 0]);
    for server in servers {
        server.finish();
    }
}

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
fn mirrors_are_web_addresses() {
    let dir = tempfile::tempdir().unwrap();
    let (result, _) = fetch_a(dir.path(), b"", &["ftp://example.org/".into()]);
    let error = result.unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("--mirror"), "{error}");
    assert!(error.to_string().contains("ftp://example.org/"), "{error}");
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

#[test]
fn what_is_built_in_is_not_fetched() {
    let error = data::fetch("digits", None, &[], &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Usage(_)));
    assert!(error.to_string().contains("'digits'"), "{error}");
}
