//! Downloads files from mirrors: verified before they appear, whole or not at all.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use ureq::Agent;

use super::{Progress, format::idx};
use crate::error::{Error, Result};
use crate::whole_file;

/// How the temporary files of downloads begin, so that abandoned ones can be told.
const TEMPORARY_PREFIX: &str = ".gpu-ae-download-";

/// A file that mirrors offer under a common name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteFile<'a> {
    /// Last part of its address, and its name on disk.
    pub name: &'a str,
    /// Length of its content, decompressed; of an archive, a .zip or .tar.gz, its own.
    pub bytes: u64,
    /// SHA-256 of its content, decompressed, in lower-case hex: a mirror may compress in its own
    /// way. Or of the file as it is published, as that of an archive always is.
    pub sha256: &'a str,
}

impl RemoteFile<'_> {
    /// Whether it holds files and is kept as it is.
    pub(super) fn is_archive(&self) -> bool {
        self.name.ends_with(".zip") || self.name.ends_with(".tar.gz")
    }

    /// No compressed form is longer: the fixed codes of DEFLATE (RFC 1951, 3.2.6), which quick compressors use whatever
    /// they are given, have at most 9 bits for a byte, and there is a header.
    fn max_download(&self) -> u64 {
        self.bytes + self.bytes / 8 + 4096
    }
}

/// How long to wait for a mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Duration,
    /// For the next bytes: a mirror that is silent for longer has stalled.
    pub stall: Duration,
    /// Fewest bytes a second, counted over `stall` at a time: a mirror that trickles is as good as none.
    pub slowest: u64,
    /// For one whole file.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            connect: Duration::from_secs(15),
            stall: Duration::from_secs(30),
            slowest: 2048,
            total: Duration::from_secs(3600),
        }
    }
}

/// Why one mirror did not put a file in place.
enum Failure {
    /// Its own fault: another mirror may do better.
    Mirror(String),
    /// This machine's fault: no mirror can help.
    Local(Error),
}

/// Brings each of `files` into `folder`, which is made if need be, from the first of `mirrors` (the
/// beginnings of addresses) that delivers it intact. A file that is there and valid is left alone; a
/// damaged one is replaced once its successor is complete.
pub fn fetch(
    files: &[RemoteFile<'_>],
    folder: &Path,
    mirrors: &[String],
    timeouts: Timeouts,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<()> {
    let is_http = |mirror: &String| mirror.starts_with("http://") || mirror.starts_with("https://");
    if let Some(mirror) = mirrors.iter().find(|mirror| !is_http(mirror)) {
        let problem = format!("--mirror: expected an http:// or https:// address, found '{mirror}'");
        return Err(Error::Usage(problem));
    }
    fs::create_dir_all(folder).map_err(Error::io(folder, "create the folder"))?;
    sweep(folder, timeouts);
    let web = Web { agent: agent(timeouts), timeouts };
    for file in files {
        if verify(&folder.join(file.name), file).is_ok() {
            progress(Progress::Present { file: file.name });
        } else {
            fetch_one(&web, file, folder, mirrors, progress)?;
        }
    }
    Ok(())
}

/// How mirrors are reached.
struct Web {
    agent: Agent,
    timeouts: Timeouts,
}

/// Tries the mirrors one after the other.
fn fetch_one(
    web: &Web,
    file: &RemoteFile<'_>,
    folder: &Path,
    mirrors: &[String],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<()> {
    let mut reasons = String::new();
    for mirror in mirrors {
        let url = format!("{}/{}", mirror.trim_end_matches('/'), file.name);
        match attempt(web, &url, file, folder, progress) {
            Ok(bytes) => {
                progress(Progress::Done { file: file.name, bytes });
                return Ok(());
            }
            Err(Failure::Mirror(reason)) => {
                progress(Progress::MirrorFailed { file: file.name, url: &url, reason: &reason });
                reasons.push_str(&format!("\n  {url}: {reason}"));
            }
            Err(Failure::Local(error)) => return Err(error),
        }
    }
    Err(Error::Failed(format!(
        "{} could not be fetched, no mirror delivered it; copied by hand it belongs in {}{reasons}",
        file.name,
        folder.display()
    )))
}

/// Downloads from one address into a temporary file, which vanishes unless it is found valid.
fn attempt(
    web: &Web,
    url: &str,
    file: &RemoteFile<'_>,
    folder: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<u64, Failure> {
    let body = get(&web.agent, url).map_err(|error| Failure::Mirror(error.to_string()))?.into_body();
    let total = body.content_length();
    if let Some(total) = total.filter(|&total| total > file.max_download()) {
        let limit = file.max_download();
        return Err(Failure::Mirror(format!("expected at most {limit} bytes, offered {total}")));
    }
    progress(Progress::Started { file: file.name, url, total });

    let path = folder.join(file.name);
    let local = |error| Failure::Local(Error::io(&path, "write the download")(error));
    let mut temporary = temporary(folder).map_err(local)?;
    let bytes = receive(&mut body.into_reader(), file, web.timeouts, progress, |chunk| {
        temporary.write_all(chunk).map_err(local)
    })?;
    verify(temporary.path(), file).map_err(Failure::Mirror)?;
    temporary.as_file().sync_all().map_err(local)?;
    whole_file::give_name(temporary, &path).map_err(local)?;
    whole_file::sync_folder(folder);
    Ok(bytes)
}

/// Hands what arrives to `write`, up to the size limit and as long as it comes fast enough, and counts it.
fn receive(
    input: &mut dyn Read,
    file: &RemoteFile<'_>,
    timeouts: Timeouts,
    progress: &mut dyn FnMut(Progress<'_>),
    mut write: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let mut chunk = vec![0; 1 << 16];
    let mut bytes = 0;
    // When the time that is measured began, and the bytes until then.
    let (mut begin, mut before) = (Instant::now(), 0);
    loop {
        let count = input
            .read(&mut chunk)
            .map_err(|error| Failure::Mirror(format!("broke off after {bytes} bytes: {error}")))?;
        if count == 0 {
            return Ok(bytes);
        }
        bytes += count as u64;
        if bytes > file.max_download() {
            let limit = file.max_download();
            return Err(Failure::Mirror(format!("expected at most {limit} bytes, found more")));
        }
        write(&chunk[..count])?;
        progress(Progress::Received { file: file.name, bytes });
        let taken = begin.elapsed();
        if taken >= timeouts.stall {
            let speed = ((bytes - before) as f64 / taken.as_secs_f64()) as u64;
            if speed < timeouts.slowest {
                let expected = format!("expected at least {} bytes a second", timeouts.slowest);
                return Err(Failure::Mirror(format!("too slow: {expected}, got {speed}, {bytes} bytes in all")));
            }
            (begin, before) = (Instant::now(), bytes);
        }
    }
}

/// Checks the content of the file at `path`; says what is wrong with it otherwise.
pub(super) fn verify(path: &Path, file: &RemoteFile<'_>) -> Result<(), String> {
    let raw = || File::open(path).map_err(|error| error.to_string());
    let found = if file.is_archive() {
        digest(raw()?, file.bytes)?
    } else {
        let content = digest(idx::content(path).map_err(|error| error.to_string())?, file.bytes)?;
        // What is right as it is published is right, too.
        let is_published = content.1 != file.sha256 && digest(raw()?, u64::MAX)?.1 == file.sha256;
        if is_published { (content.0, file.sha256.into()) } else { content }
    };
    let (bytes, found) = found;
    if bytes < file.bytes {
        return Err(format!("expected {} bytes of content, found {bytes}", file.bytes));
    }
    if found != file.sha256 {
        return Err(format!("expected content of SHA-256 {}, found {found}", file.sha256));
    }
    Ok(())
}

/// Length and SHA-256 of what is read, which may have at most so many bytes.
fn digest(mut input: impl Read, most: u64) -> Result<(u64, String), String> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let count = input.read(&mut chunk).map_err(|error| format!("expected intact content, found: {error}"))?;
        if count == 0 {
            return Ok((bytes, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()));
        }
        bytes += count as u64;
        // A small file can decompress to a very large one.
        if bytes > most {
            return Err(format!("expected {most} bytes of content, found more"));
        }
        hash.update(&chunk[..count]);
    }
}

fn agent(timeouts: Timeouts) -> Agent {
    Agent::config_builder()
        .user_agent(concat!("gpu-ae/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(timeouts.connect))
        .timeout_connect(Some(timeouts.connect))
        .timeout_recv_response(Some(timeouts.stall))
        .timeout_per_read(Some(timeouts.stall))
        .timeout_global(Some(timeouts.total))
        .build()
        .into()
}

/// Asks for `url`. Behind a proxy that the environment names, this machine itself is still reached
/// directly: to the proxy, a loopback address would mean the proxy's own machine.
fn get(agent: &Agent, url: &str) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
    let request = agent.get(url);
    let host = request.uri_ref().and_then(|uri| uri.host());
    if matches!(host, Some("localhost" | "127.0.0.1" | "[::1]")) {
        request.config().proxy(None).build().call()
    } else {
        request.call()
    }
}

/// A temporary file in `folder`, so that it can be renamed into place; its permissions are those
/// of any new file, for the data may be shared between users.
fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    if let Some(permissions) = whole_file::permissions(None) {
        builder.permissions(permissions);
    }
    builder.tempfile_in(folder)
}

/// Removes what killed downloads left behind, told from running ones by their age. What can't be
/// looked at or removed does no harm.
fn sweep(folder: &Path, timeouts: Timeouts) {
    let is_abandoned = |entry: &fs::DirEntry| {
        entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX)
            && entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|time| time.elapsed().is_ok_and(|age| age / 2 > timeouts.total))
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(is_abandoned) {
        fs::remove_file(entry.path()).ok();
    }
}
