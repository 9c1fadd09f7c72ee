//! What `[augment]` accepts and refuses, and what it takes from the data.
#![allow(clippy::unwrap_used)]

use crate::config::RunConfig;
use crate::data::encoding::Affine;
use crate::data::{Dataset, Encoding, ImageShape, Split, Values};
use crate::nn::block::image::ImageSize;

fn config(model: &str, set: &[(&str, &str)]) -> RunConfig {
    let mut config = RunConfig::model(model).unwrap();
    config.set_all("--set", set).unwrap();
    config
}

/// Images of this shape, bytes or whatever map made of them.
fn data(image: ImageShape, scale: Vec<Affine>) -> Dataset {
    let split =
        || Split::new(image.values(), Values::of_bytes(vec![7; 4 * image.values()]), vec![0, 1, 0, 1], Vec::new());
    let range = (!scale.is_empty()).then_some([-1.0, 2.0]);
    let encoding = Encoding { scale, range, ..Encoding::numbered(image, 2) };
    Dataset { name: "X".into(), encoding, train: split(), validation: Split::default(), test: split() }
}

const DIGIT: ImageShape = ImageShape { height: 28, width: 28, channels: 1 };
const PHOTO: ImageShape = ImageShape { height: 6, width: 4, channels: 3 };

#[test]
fn values_without_meaning_are_refused_by_name() {
    let cases = [
        ("flip", "1.5"),
        ("flip_vertical", "-0.1"),
        ("jitter", "nan"),
        ("hue", "0.6"),
        ("blur", "2"),
        ("rotate", "181"),
        ("scale", "0.95"),
        ("shear", "2.5"),
        ("crop", "5000"),
        ("shift", "inf"),
        ("image", "\"0x3x1\""),
        ("black", "[nan]"),
    ];
    for (key, value) in cases {
        let message = config("classifier", &[(&format!("augment.{key}"), value)]).check().unwrap_err().to_string();
        assert!(message.starts_with(&format!("augment.{key} ")) && message.contains("expected"), "{message}");
    }
    let both = config("classifier", &[("augment.resized_crop", "0.1"), ("augment.rotate", "5")]);
    let message = both.check().unwrap_err().to_string();
    assert!(message.starts_with("augment.rotate 5: expected 0 beside augment.resized_crop"), "{message}");
}

#[test]
fn what_cannot_be_done_to_rows_is_refused_by_the_data_s_name() {
    let refused =
        |set: &[(&str, &str)], data: &Dataset| config("cluster", set).follow_pixels(data).unwrap_err().to_string();
    let row = data(ImageShape::row(12), Vec::new());
    let message = refused(&[("augment.shift", "0.1")], &row);
    assert!(message.starts_with("augment: expected images, and X has rows of 12 values"), "{message}");
    let digits = data(DIGIT, Vec::new());
    let cases = [
        (("augment.hue", "0.1"), "augment.hue 0.1: expected 0 for images of one channel"),
        (("augment.grey", "0.1"), "augment.grey 0.1: expected 0 for images of one channel"),
        (("augment.crop", "28"), "augment.crop 28: expected fewer than the 28 pixels"),
    ];
    for (set, wanted) in cases {
        let message = refused(&[set], &digits);
        assert!(message.starts_with(wanted), "{message}");
    }
    let other = refused(&[("augment.shift", "0.1"), ("augment.image", "\"28x27x1\"")], &digits);
    assert!(other.starts_with("augment.image 28x27x1: expected an image of the 784 values"), "{other}");
    let many = data(ImageShape { channels: 5, ..PHOTO }, Vec::new());
    let message = refused(&[("augment.brightness", "0.4")], &many);
    assert!(message.contains("0 for images of 5 channels"), "{message}");
    let standard = data(PHOTO, vec![Affine { mean: 0.5, deviation: 0.25 }; 3]);
    let message = refused(&[("augment.brightness", "0.4")], &standard);
    assert!(message.contains("no colours from 0 to 1, as those of X"), "{message}");
}

/// What is black is what 0 became.
#[test]
fn size_and_black_follow_the_data_unless_the_configuration_says_them() {
    let mut own = config("cluster", &[("augment.shift", "0.1")]);
    own.follow_pixels(&data(DIGIT, Vec::new())).unwrap();
    let augment = own.augment.clone().unwrap();
    assert_eq!((augment.image, augment.black), (Some(ImageSize([28, 28, 1])), Vec::new()));
    assert_eq!(own.black(), Some(vec![0.0]));
    let maps: Vec<Affine> = [0.5, 0.25, 0.0].map(|mean| Affine { mean, deviation: 0.25 }).to_vec();
    let mut own = config("cluster", &[("augment.crop", "1")]);
    own.follow_pixels(&data(PHOTO, maps)).unwrap();
    assert_eq!(own.black(), Some(vec![-2.0, -1.0, 0.0]));
    let mut rows = config("cluster", &[("augment.shift", "0.1"), ("augment.image", "\"3x4x1\"")]);
    rows.follow_pixels(&data(ImageShape::row(12), Vec::new())).unwrap();
    let mut off = config("cluster", &[("augment.shift", "0")]);
    off.follow_pixels(&data(ImageShape::row(12), Vec::new())).unwrap();
    assert_eq!((off.black(), off.augmentation()), (None, None));
}

/// A model's own flips and crops are for its own images.
#[test]
fn grey_images_are_not_flipped_unless_that_is_said() {
    for (image, flip, crop) in [(DIGIT, 0.0, 3), (ImageShape { height: 64, width: 80, channels: 3 }, 0.5, 8)] {
        let mut own = config("resnet", &[]);
        own.follow_image(image);
        let augment = own.augment.clone().unwrap();
        assert_eq!((augment.flip, augment.crop), (flip, crop));
    }
    let read = |text: &str| RunConfig::parse(text, "c.toml".as_ref(), None, None).unwrap().augment.unwrap();
    let unsaid = read("model = \"resnet\"\ndata = \"digits\"\n");
    let said = read("model = \"resnet\"\ndata = \"digits\"\n[augment]\nflip = 0.5\n");
    assert_eq!((unsaid.flip, unsaid.crop, said.flip, said.crop), (0.0, 3, 0.5, 4));
}

/// What a model says of colours is dropped where there are none, unless somebody has said it.
#[test]
fn colours_follow_the_channels_unless_they_are_said() {
    let follow = |said: &[(&str, &str)]| {
        let mut own = config("simclr", &[&[("data.path", "digits")], said].concat());
        own.follow_data(said.iter().fold(crate::config::Said::default(), |all, (key, _)| all.or_by(key))).unwrap();
        let augment = own.augment.unwrap();
        (augment.saturation, augment.grey, augment.brightness, augment.flip)
    };
    assert_eq!(follow(&[]), (0.0, 0.0, 0.4, 0.0));
    assert_eq!(follow(&[("augment.flip", "0.25")]), (0.0, 0.0, 0.4, 0.25));
    assert_eq!(follow(&[("augment.hue", "0.2")]).0, 0.4, "which is refused when it meets the data");
}
