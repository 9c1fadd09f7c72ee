//! Pictures on disk.

use std::path::Path;

use image::RgbImage;
use image::codecs::png::PngEncoder;

use crate::error::{Error, Result};
use crate::whole_file;

/// Writes `image` as a PNG file at `path`, whole or not at all.
///
/// # Errors
/// When the name is that of another kind of picture, or the folder cannot be written.
pub fn write_png(path: &Path, image: &RgbImage) -> Result<()> {
    check_png(path)?;
    let bytes = png_bytes(image).map_err(|error| Error::Failed(format!("{}: {error}", path.display())))?;
    whole_file::write(path, &bytes, "write the picture")
}

/// The bytes of a PNG file.
///
/// # Errors
/// When the picture is too large for one.
pub fn png_bytes(image: &RgbImage) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    image
        .write_with_encoder(PngEncoder::new(&mut bytes))
        .map_err(|failure| Error::Failed(format!("the picture cannot be encoded: {failure}")))?;
    Ok(bytes)
}

/// Refuses a name that says another kind of file than PNG, which all pictures are.
///
/// # Errors
/// When it does.
pub fn check_png(path: &Path) -> Result<()> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some(extension)
            if !extension.eq_ignore_ascii_case("png") && path.metadata().map_or(true, |there| there.is_file()) =>
        {
            let name = path.with_extension("png");
            Err(Error::Usage(format!(
                "{}: pictures are PNG files, expected a name such as {}",
                path.display(),
                name.display()
            )))
        }
        _ => Ok(()),
    }
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
        assert!(error.to_string().contains("missing: there is no such folder"), "{error}");
        assert_eq!(error.exit_code(), 2);
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
