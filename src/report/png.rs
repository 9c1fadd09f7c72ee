//! Pictures on disk.

use std::fs::Permissions;
use std::io::{BufWriter, Write};
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ImageError, RgbImage};
use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Writes `image` as a PNG file at `path`.
///
/// The file appears whole or not at all: it is written beside its place, flushed to the disk and
/// renamed, so that an interrupted run leaves the picture of the epoch before.
pub fn write_png(path: &Path, image: &RgbImage) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = new_file_in(folder).map_err(Error::io(path, "write the picture"))?;
    encode(&temporary, image).map_err(Error::io(path, "write the picture"))?;
    temporary.persist(path).map_err(|failure| Error::io(path, "write the picture")(failure.error))?;
    Ok(())
}

fn new_file_in(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".picture-").suffix(".tmp");
    if let Some(permissions) = shared_permissions() {
        builder.permissions(permissions);
    }
    builder.tempfile_in(folder)
}

/// Temporary files are private by default; a picture is to be as readable as any other file the
/// user makes. The umask still applies.
#[cfg(unix)]
fn shared_permissions() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

/// Elsewhere, a file takes its permissions from its folder.
#[cfg(not(unix))]
fn shared_permissions() -> Option<Permissions> {
    None
}

fn encode(file: &NamedTempFile, image: &RgbImage) -> std::io::Result<()> {
    let mut writer = BufWriter::new(file.as_file());
    image.write_with_encoder(PngEncoder::new(&mut writer)).map_err(|failure| match failure {
        ImageError::IoError(source) => source,
        other => std::io::Error::other(other),
    })?;
    writer.flush()?;
    file.as_file().sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use image::Rgb;

    fn picture(shade: u8) -> RgbImage {
        RgbImage::from_fn(5, 3, |x, y| Rgb([x as u8 * 40, y as u8 * 80, shade]))
    }

    #[test]
    fn what_is_written_can_be_read_back_and_replaces_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loss.png");
        write_png(&path, &picture(1)).unwrap();
        write_png(&path, &picture(200)).unwrap();
        assert_eq!(image::open(&path).unwrap().to_rgb8(), picture(200));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "temporary files are left over");
    }

    #[test]
    fn an_error_names_the_picture() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("loss.png");
        let error = write_png(&path, &picture(0)).unwrap_err();
        assert!(error.to_string().contains("loss.png: cannot write the picture"), "{error}");
        assert_eq!(error.exit_code(), 1);
    }

    #[test]
    fn a_failed_rename_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        std::fs::create_dir_all(path.join("inside")).unwrap();
        assert!(write_png(&path, &picture(0)).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_picture_is_as_readable_as_any_other_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("plain"), b"").unwrap();
        write_png(&folder.path().join("loss.png"), &picture(0)).unwrap();
        let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("loss.png"), mode("plain"));
    }
}
