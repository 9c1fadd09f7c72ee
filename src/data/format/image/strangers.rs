//! Whatever bytes a file has, it becomes an image of the size that its header allows, or a reason why not.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

use super::decode::decode;
use super::fit::Resizing;
use super::wanted::Wanted;
use crate::cases::cases;
use crate::data::options::DataOptions;

/// Cases of an ordinary run.
const USUAL_CASES: u32 = 512;
/// Pixels that images may have here: damaged headers ask for many.
const MOST: u64 = 100_000;

fn samples() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut samples: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    let image = image::open(paths.iter().find(|path| path.ends_with("420.png")).unwrap()).unwrap();
    for format in [image::ImageFormat::Bmp, image::ImageFormat::Tiff, image::ImageFormat::WebP, image::ImageFormat::Gif]
    {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        samples.push(bytes.into_inner());
    }
    samples
}

#[test]
fn images_of_any_bytes() {
    let samples = samples();
    let damage = prop::collection::vec((any::<Index>(), any::<u8>(), 0..5_u8), 1..6);
    proptest!(cases(USUAL_CASES), |(sample: Index, damages in damage, early: bool, small: bool)| {
        let mut bytes = sample.get(&samples).clone();
        for (at, value, kind) in damages {
            // Headers are where most can go wrong.
            let length = if early { bytes.len().min(200) } else { bytes.len() };
            if length == 0 {
                continue;
            }
            let at = at.index(length);
            match kind {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, value),
                2 => drop(bytes.remove(at)),
                _ => bytes[at] = value,
            }
        }
        let size = small.then(|| "7x5".parse().unwrap());
        let wanted = Wanted::of(&DataOptions { size, most_pixels: Some(MOST), ..DataOptions::of("") });
        match decode(&bytes, &wanted, &mut Resizing::default()) {
            Ok(pixels) => {
                prop_assert!((pixels.width * pixels.height) as u64 <= MOST);
                prop_assert_eq!(pixels.values.len(), pixels.width * pixels.height * pixels.channels);
                prop_assert!(!small || (pixels.width, pixels.height) == (7, 5));
            }
            Err(problem) => prop_assert!(!problem.is_empty() && problem.len() < 1000),
        }
    });
}
