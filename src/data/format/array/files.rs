//! Files that belong together, wherever they are: in a folder, or packed in a .zip or a .tar.gz.

use std::fs::File;
use std::io::{self, BufReader, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::origin::Origin;
use crate::data::format::idx;
use crate::data::options::{DataOptions, USUAL_MOST_PIXELS};
use crate::error::{Error, Result};

/// Most files that are looked at in an archive.
const MOST_FILES: usize = 4096;
/// Bytes that an array may have, unpacked, for each pixel that an image may have: 4 GiB unless more is allowed.
const BYTES_A_PIXEL: u64 = 64;

/// Most bytes of an array that is packed or whose file is read as a whole, and what allows more.
pub(super) fn most(options: &DataOptions) -> (u64, &'static str) {
    let pixels = options.most_pixels.unwrap_or(USUAL_MOST_PIXELS);
    (pixels.saturating_mul(BYTES_A_PIXEL), " (64 bytes for each of data.most_pixels)")
}

/// Refuses to unpack more bytes than [`most`].
pub(super) fn check_size(bytes: u64, options: &DataOptions, origin: &Origin) -> Result<()> {
    let (most, advice) = most(options);
    if bytes <= most {
        return Ok(());
    }
    Err(origin.error(format!("unpacks to {bytes} bytes, expected at most {most}{advice}")))
}

/// Files by their names.
pub(in crate::data) struct Files {
    /// The folder or archive.
    pub path: PathBuf,
    /// Names within it, in order.
    pub names: Vec<String>,
    within: Within,
}

enum Within {
    Folder,
    Zip(Box<ZipArchive<BufReader<File>>>),
    Memory(Vec<Vec<u8>>),
}

impl Files {
    /// The files directly in a folder; those whose names are no UTF-8 are none of the kind that is looked for.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn folder(path: &Path) -> Result<Files> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(path).map_err(Error::io(path, "read"))? {
            let entry = entry.map_err(Error::io(path, "read"))?;
            if let Ok(name) = entry.file_name().into_string() {
                // A link counts as what it leads to, one that leads nowhere as nothing.
                if std::fs::metadata(entry.path()).is_ok_and(|there| there.is_file()) {
                    names.push(name);
                }
            }
        }
        names.sort();
        Ok(Files { path: path.to_path_buf(), names, within: Within::Folder })
    }

    /// One file, with whatever lies beside it to be asked for by name.
    pub fn beside(path: &Path) -> Result<Files> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Files::folder(folder)
    }

    /// The files in a .zip.
    ///
    /// # Errors
    /// When it is damaged, encrypted, or has too many files.
    pub fn zip(path: &Path) -> Result<Files> {
        let origin = Origin::file(path);
        let file = File::open(path).map_err(Error::io(path, "read"))?;
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(&origin, error))?;
        if zip.len() > MOST_FILES {
            return Err(origin.error(format!("has {} files, expected at most {MOST_FILES}", zip.len())));
        }
        let names = (0..zip.len()).map(|place| match zip.name_for_index(place) {
            Some(Ok(name)) => name.into_owned(),
            _ => String::new(),
        });
        let names = names.collect();
        Ok(Files { path: path.to_path_buf(), names, within: Within::Zip(Box::new(zip)) })
    }

    /// The files of a .tar.gz whose names, without their folders, are `wanted`, all in memory: such an archive is read from
    /// its beginning only.
    ///
    /// # Errors
    /// When it is damaged, or what it unpacks to is larger than is allowed.
    pub fn tar(path: &Path, options: &DataOptions, wanted: impl Fn(&str) -> bool) -> Result<Files> {
        let origin = Origin::file(path);
        let failed = |error| origin.unreadable(error);
        let (mut left, advice) = most(options);
        let packed = idx::content(path).map_err(failed)?;
        let mut tar = tar::Archive::new(packed.take(left.saturating_add(1)));
        let (mut names, mut contents) = (Vec::new(), Vec::new());
        for entry in tar.entries().map_err(failed)? {
            let mut entry = entry.map_err(failed)?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let short = short(&name).to_string();
            if !entry.header().entry_type().is_file() || !wanted(&short) {
                continue;
            }
            let (size, mut content) = (entry.size(), Vec::new());
            if size > left || names.len() == MOST_FILES {
                let problem = format!("unpacks to more than is expected{advice}");
                return Err(origin.error(problem));
            }
            left -= size;
            entry.read_to_end(&mut content).map_err(failed)?;
            if (content.len() as u64) < size {
                return Err(
                    origin.error(format!("truncated: expected {size} bytes of {name}, found {}", content.len()))
                );
            }
            names.push(short);
            contents.push(content);
        }
        Ok(Files { path: path.to_path_buf(), names, within: Within::Memory(contents) })
    }

    /// What a file of this place among the names is called in messages.
    pub fn origin(&self, place: usize) -> Origin {
        match self.within {
            Within::Folder => Origin::file(&self.path.join(&self.names[place])),
            _ => Origin { path: self.path.clone(), part: self.names.get(place).cloned() },
        }
    }

    /// Refuses so many bytes of the file of this place where they are packed, and more than is allowed.
    ///
    /// # Errors
    /// When they are too many.
    pub(super) fn check_size(&self, place: usize, bytes: u64, options: &DataOptions) -> Result<()> {
        let origin = self.origin(place);
        let there = match self.within {
            Within::Folder => std::fs::metadata(&origin.path).map_or(0, |there| there.len()),
            _ => 0,
        };
        if bytes <= there { Ok(()) } else { check_size(bytes, options, &origin) }
    }

    /// The content of the file of this place among the names, unpacked.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(&mut self, place: usize) -> Result<Box<dyn Read + '_>> {
        let origin = self.origin(place);
        match &mut self.within {
            Within::Folder => idx::content(&origin.path).map_err(|error| origin.unreadable(error)),
            Within::Zip(zip) => {
                let file = zip.by_index(place).map_err(|error| damaged(&origin, error))?;
                idx::decompressed(file).map_err(|error| origin.unreadable(error))
            }
            Within::Memory(contents) => {
                let content: &[u8] = contents.get(place).map_or(&[], Vec::as_slice);
                idx::decompressed(Cursor::new(content)).map_err(|error| origin.unreadable(error))
            }
        }
    }

    /// The first bytes of a file, unpacked; fewer where it has fewer, none if it cannot be read.
    pub fn first_bytes(&mut self, place: usize) -> Vec<u8> {
        let mut first = Vec::new();
        if let Ok(mut input) = self.open(place) {
            let _ = (&mut input).take(8).read_to_end(&mut first);
        }
        first
    }
}

/// The last part of a name within an archive.
pub(super) fn short(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// What an error of the reader of .zip files says of the file.
fn damaged(origin: &Origin, error: ZipError) -> Error {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            origin.error("is encrypted, expected an archive without a password")
        }
        ZipError::Io(error) if !matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) => {
            origin.unreadable(io::Error::new(error.kind(), error.to_string()))
        }
        error => origin.error(format!("damaged: expected an intact .zip archive, found: {error}")),
    }
}
