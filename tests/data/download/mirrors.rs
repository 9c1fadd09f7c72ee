//! Mirrors: when the next one is tried, and what is said when there is none left.

use std::fs;
use std::net::TcpListener;
use std::time::Instant;

use super::{TIMEOUTS, content, fetch_a, names};
use crate::files::gzip;
use crate::web_server::{Reply, STALL, Server};

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
fn mirrors_are_web_addresses() {
    let dir = tempfile::tempdir().unwrap();
    let (result, _) = fetch_a(dir.path(), b"", &["ftp://example.org/".into()]);
    let error = result.unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("--mirror"), "{error}");
    assert!(error.to_string().contains("ftp://example.org/"), "{error}");
}
