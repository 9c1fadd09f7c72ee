//! Folders of images, made here and by others.

use std::fs;
use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, ImageFormat, RgbImage, RgbaImage};
use tempfile::TempDir;

use super::*;
use crate::data::ImageShape;
use crate::data::found::{Reading, Side};

/// Remembers what it hears.
#[derive(Default)]
pub struct Heard {
    pub notices: Vec<String>,
    readings: Vec<Reading>,
}

impl Listener for Heard {
    fn reading(&mut self, reading: Reading) {
        self.readings.push(reading);
    }
    fn notice(&mut self, text: String) {
        self.notices.push(text);
    }
}

/// A folder to read and a cache beside it.
struct Place {
    folder: TempDir,
    cache: TempDir,
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap(), cache: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn image(&self, name: &str, image: impl Into<DynamicImage>) {
        let image: DynamicImage = image.into();
        image.save_with_format(self.path(name), ImageFormat::Png).unwrap();
    }

    fn grey(&self, name: &str, value: u8) {
        self.image(name, GrayImage::from_pixel(2, 2, image::Luma([value])));
    }

    fn read_as(&self, options: &DataOptions) -> (Result<Found>, Heard) {
        let mut heard = Heard::default();
        let cache = Cache::within(self.cache.path(), 1 << 30);
        (read_with(self.folder.path(), options, Some(&cache), &mut heard), heard)
    }

    fn rows(&self) -> (ImageShape, Vec<String>, Vec<Part>) {
        rows(self.read_as(&options()).0)
    }

    fn problem(&self) -> String {
        self.read_as(&options()).0.unwrap_err().to_string()
    }
}

fn options() -> DataOptions {
    DataOptions::of("a folder")
}

fn rows(found: Result<Found>) -> (ImageShape, Vec<String>, Vec<Part>) {
    match found.unwrap() {
        Found::Rows { shape, classes, parts } => (shape, classes, parts),
        Found::Table(_) => panic!("a table"),
    }
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images").join(name)
}

/// What is read of one file under this name.
fn alone(path: &Path, name: &str, options: &DataOptions) -> Result<(ImageShape, Vec<u8>)> {
    let place = Place::new();
    fs::copy(path, place.path(name)).unwrap();
    let (shape, _, parts) = match place.read_as(options).0? {
        Found::Rows { shape, classes, parts } => (shape, classes, parts),
        Found::Table(_) => panic!("a table"),
    };
    Ok((shape, parts[0].values.raw().to_vec()))
}

/// Largest and mean distance between two images.
fn distance(a: &[u8], b: &[u8]) -> (u8, f64) {
    assert_eq!(a.len(), b.len());
    let distances = || a.iter().zip(b).map(|(&a, &b)| a.abs_diff(b));
    (distances().max().unwrap(), distances().map(f64::from).sum::<f64>() / a.len() as f64)
}

#[test]
fn jpegs_are_as_others_decode_them() {
    for (name, decoded) in [
        ("420", "420"),
        ("422", "422"),
        ("444", "444"),
        ("grey", "grey"),
        ("progressive", "420"),
        ("restart", "420"),
        ("optimised", "420"),
        ("turned", "420"),
    ] {
        let mut expected = image::open(sample(&format!("{decoded}.png"))).unwrap();
        if name == "turned" {
            expected = expected.rotate90();
        }
        let (shape, values) = alone(&sample(&format!("{name}.jpg")), "any name.png", &options()).unwrap();
        let [height, width] = [expected.height() as usize, expected.width() as usize];
        assert_eq!((shape.height, shape.width), (height, width), "{name}");
        let (most, mean) = distance(&values, expected.as_bytes());
        // Another transform and other roundings than libjpeg's, and another way between the colours of neighbours.
        assert!(most <= 60 && mean < 2.0, "{name}: {most}, {mean}");
    }
}

#[test]
fn a_fraction_of_a_jpeg_is_as_good_as_all_of_it() {
    let wanted = DataOptions { size: Some("10x8".parse().unwrap()), ..options() };
    let expected = image::open(sample("420-10x8.png")).unwrap();
    for name in ["420.jpg", "420.png", "progressive.jpg"] {
        let (shape, values) = alone(&sample(name), name, &wanted).unwrap();
        assert_eq!(shape, ImageShape { height: 8, width: 10, channels: 3 });
        let (most, mean) = distance(&values, expected.as_bytes());
        // Of the same pixels only the last rounding may differ.
        let (limit, mean_limit) = if name.ends_with("png") { (1, 0.2) } else { (8, 2.0) };
        assert!(most <= limit && mean < mean_limit, "{name}: {most}, {mean}");
    }
}

#[test]
fn every_format_and_kind_of_pixel_is_read() {
    let place = Place::new();
    let colour = RgbImage::from_fn(3, 2, |x, y| image::Rgb([x as u8 * 90, y as u8 * 200, 7]));
    let all = DynamicImage::from(colour.clone());
    for (name, format) in
        [("a", ImageFormat::Png), ("b", ImageFormat::Bmp), ("c", ImageFormat::Tiff), ("d", ImageFormat::WebP)]
    {
        all.save_with_format(place.path(name), format).unwrap();
    }
    place.image("e", all.to_rgb16());
    place.image("f", all.to_rgba8());
    place.image("g", all.to_rgba16());
    all.to_rgb32f().save_with_format(place.path("h"), ImageFormat::Tiff).unwrap();
    let (shape, classes, parts) = place.rows();
    assert_eq!((shape, classes.len()), (ImageShape { height: 2, width: 3, channels: 3 }, 0));
    assert_eq!(parts[0].values.raw(), colour.as_raw().repeat(8));
    assert_eq!(parts[0].names.join(""), "abcdefgh");
}

#[test]
fn grey_rows_get_colours_as_soon_as_one_image_has_any() {
    let place = Place::new();
    place.grey("a.png", 7);
    place.image("b.png", GrayImage::from_pixel(2, 2, image::Luma([8])).clone());
    assert_eq!(place.rows().0.channels, 1);
    place.image("c.png", RgbaImage::from_pixel(2, 2, image::Rgba([1, 2, 3, 255])));
    place.grey("d.png", 9);
    let (shape, _, parts) = place.rows();
    assert_eq!(shape.channels, 3);
    let expected = [[7, 7, 7], [8, 8, 8], [1, 2, 3], [9, 9, 9]].map(|pixel| pixel.repeat(4)).concat();
    assert_eq!(parts[0].values.raw(), expected);
    let (shape, _, parts) = rows(place.read_as(&DataOptions { grey: true, ..options() }).0);
    assert_eq!((shape.channels, parts[0].values.raw()), (1, &[[7; 4], [8; 4], [2; 4], [9; 4]].concat()[..]));
}

#[test]
fn folders_are_classes_and_sides() {
    let place = Place::new();
    for (value, name) in ["train/b/1.png", "train/b/2.png", "test/a/deep/er/1.png", "val/c/1.png"].iter().enumerate() {
        place.grey(name, value as u8);
    }
    fs::write(place.path("train/labels.csv"), "").unwrap();
    fs::write(place.path("train/b/.hidden.png"), "").unwrap();
    let (found, heard) = place.read_as(&options());
    let (_, classes, parts) = rows(found);
    assert_eq!(classes, ["a", "b", "c"]);
    let of = |part: &Part| (part.side, part.labels.clone(), part.values.raw()[0], part.names[0].clone());
    assert_eq!(
        parts.iter().map(of).collect::<Vec<_>>(),
        [
            (Side::Test, vec![0], 2, "test/a/deep/er/1.png".to_string()),
            (Side::Train, vec![1, 1], 0, "train/b/1.png".to_string()),
            (Side::Validation, vec![2], 3, "val/c/1.png".to_string()),
        ]
    );
    assert!(heard.notices.concat().contains("passed over 2"), "{:?}", heard.notices);
    assert_eq!(heard.readings.last().map(|last| (last.done, last.of, last.unit)), Some((4, 4, "files")));
    place.grey("train/odd.png", 0);
    let message = place.problem();
    assert!(message.contains("odd.png: lies in no folder of a class"), "{message}");
    place.grey("other/odd.png", 0);
    let message = place.problem();
    assert!(message.contains("other/odd.png: lies outside of the folders of a split"), "{message}");
}

#[test]
fn the_first_problem_in_order_is_told_and_names_the_file() {
    let place = Place::new();
    assert!(place.problem().contains("no image in this folder"), "{}", place.problem());
    let jpeg = fs::read(sample("420.jpg")).unwrap();
    for number in 0..40 {
        let cut = if number == 11 || number == 30 { jpeg.len() * 2 / 3 } else { jpeg.len() };
        fs::write(place.path(&format!("{number:02}.jpg")), &jpeg[..cut]).unwrap();
    }
    let message = place.problem();
    assert!(message.contains("11.jpg: cut off") && message.contains("--skip-broken"), "{message}");
    let skipping = DataOptions { skip_broken: true, ..options() };
    for time in ["first", "second"] {
        let (found, heard) = place.read_as(&skipping);
        assert_eq!(rows(found).2[0].names.len(), 38, "{time}");
        let notices = heard.notices.concat();
        assert!(notices.contains("left out 2") && notices.contains("11.jpg: cut") && notices.contains("30.jpg: cut"));
    }
    for number in [11, 30] {
        fs::write(place.path(&format!("{number}.jpg")), &jpeg).unwrap();
    }
    place.grey("small", 3);
    let message = place.problem();
    assert!(message.contains("small: 2x2 pixels, but 00.jpg has 61x45") && message.contains("--size"), "{message}");
}

#[test]
fn what_is_no_single_picture_is_refused_by_name() {
    for (name, expected) in [
        ("cmyk.jpg", "a CMYK image, expected grey or RGB"),
        ("animated.png", "an animated PNG"),
        ("animated.webp", "an animated WebP"),
        ("README.md", "no image that is known, expected an image: PNG"),
    ] {
        let message = alone(&sample(name), "picture", &options()).unwrap_err().to_string();
        assert!(message.contains(&format!("picture: {expected}")), "{message}");
    }
    let few = DataOptions { most_pixels: Some(1000), ..options() };
    for name in ["420.jpg", "420.png", "progressive.jpg"] {
        let message = alone(&sample(name), "picture", &few).unwrap_err().to_string();
        assert!(message.contains("picture: an image of 61x45 pixels") && message.contains("data.most_pixels"));
    }
    for name in ["animated.gif", "palette.png", "lossy.webp"] {
        assert_eq!(alone(&sample(name), name, &options()).unwrap().0, ImageShape { height: 9, width: 12, channels: 3 });
    }
}

#[test]
fn only_the_largest_centred_part_is_taken() {
    let place = Place::new();
    place.image("a", GrayImage::from_fn(8, 4, |x, _| image::Luma([if (2..6).contains(&x) { 200 } else { 0 }])));
    let centred = DataOptions { size: Some("2x2".parse().unwrap()), crop: Some(Crop::Centre), ..options() };
    assert_eq!(rows(place.read_as(&centred).0).2[0].values.raw(), [200; 4]);
    let stretched = DataOptions { crop: None, ..centred.clone() };
    assert!(rows(place.read_as(&stretched).0).2[0].values.raw()[0] < 150);
    for wrong in [DataOptions { size: None, ..centred }, DataOptions { label: Some("x".into()), ..options() }] {
        assert!(matches!(place.read_as(&wrong).0.unwrap_err(), Error::Usage(_)));
    }
}
