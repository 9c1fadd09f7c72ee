//! A single image file, at its own size.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::decode::decode;
use super::decoding::BESIDES;
use super::fit::Resizing;
use super::pixels::{Pixels, coloured};
use super::wanted::Wanted;
use crate::data::options::DataOptions;
use crate::error::{Error, Result};

/// Reads an image file of any format there is as it is to be seen, in so many channels: of one its colours become grey, of three
/// grey becomes colours. Of the options only `most_pixels` is followed.
///
/// # Errors
/// When it cannot be read, is no image, is damaged or larger than that; or when there are no such channels.
pub fn read_picture(path: &Path, channels: usize, options: &DataOptions) -> Result<Pixels> {
    if channels != 1 && channels != 3 {
        let problem = format!("{channels} channels: expected a network of grey images or of red, green and blue");
        return Err(Error::input(path, problem));
    }
    let wanted = Wanted { size: None, centre: false, grey: channels == 1, ..Wanted::of(options) };
    let most = (wanted.most_bytes() as u64).saturating_add(BESIDES);
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    read.map_err(Error::io(path, "read"))?;
    if bytes.len() as u64 > most {
        let problem = format!("more than {most} bytes; data.most_pixels allows more");
        return Err(Error::input(path, problem));
    }
    let pixels = decode(&bytes, &wanted, &mut Resizing::default()).map_err(|problem| Error::input(path, problem))?;
    if pixels.channels == channels {
        return Ok(pixels);
    }
    Ok(Pixels { channels, values: coloured(&pixels.values), ..pixels })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use image::{GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    #[test]
    fn an_image_is_read_in_the_channels_that_are_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it.png");
        let read = |channels| read_picture(&path, channels, &DataOptions::of("")).unwrap();
        GrayImage::from_pixel(3, 2, Luma([7])).save(&path).unwrap();
        assert_eq!(read(1), Pixels { width: 3, height: 2, channels: 1, values: vec![7; 6] });
        assert_eq!(read(3), Pixels { width: 3, height: 2, channels: 3, values: vec![7; 18] });
        RgbImage::from_pixel(1, 1, Rgb([255, 0, 0])).save(&path).unwrap();
        assert_eq!((read(1).values, read(3).values), (vec![76], vec![255, 0, 0]));
        RgbaImage::from_pixel(1, 1, Rgba([9, 9, 9, 0])).save(&path).unwrap();
        assert_eq!(read(3).values, [255; 3], "nothing is seen over white");
    }

    #[test]
    fn what_is_no_image_of_its_size_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it.png");
        let problem = |channels, options: &DataOptions| read_picture(&path, channels, options).unwrap_err().to_string();
        let usual = DataOptions::of("");
        assert!(problem(3, &usual).contains("it.png"));
        std::fs::write(&path, "no image").unwrap();
        assert!(problem(3, &usual).contains("expected an image"));
        GrayImage::new(30, 20).save(&path).unwrap();
        assert!(problem(2, &usual).contains("2 channels"));
        let few = DataOptions { most_pixels: Some(500), ..usual };
        assert!(problem(1, &few).contains("30x20") && problem(1, &few).contains("data.most_pixels"));
    }
}
