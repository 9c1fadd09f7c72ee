//! Single pictures of any size: to a file, tile by tile, and back.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use super::{json, number, numbers, refused, words};
use crate::program::succeed;

/// Runs of codecs of grey images and of colours, and of a network that tiles cannot be made larger for.
static RUNS: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let runs = tempfile::tempdir().unwrap();
    for (name, side) in [("greys", 28), ("colours", 24)] {
        let folder = runs.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        for number in 0..24 {
            let shade = |x: u32, y: u32| [(x * 9 + number * 5) as u8, (y * 7) as u8, (x * y + number) as u8];
            let image = RgbImage::from_fn(side, side, |x, y| Rgb(shade(x, y)));
            let image =
                if name == "greys" { DynamicImage::from(image).to_luma8().into() } else { DynamicImage::from(image) };
            image.save(folder.join(format!("{number}.png"))).unwrap();
        }
    }
    let coded: &[&str] = &["--set", "rate.layer=3", "--set", "rate.model=hyperprior"];
    for (name, data, model, more) in
        [("grey", "greys", "codec", &[][..]), ("colour", "colours", "codec", &[]), ("whole", "greys", "conv", coded)]
    {
        let [data, out] = [data, name].map(|name| runs.path().join(name).to_str().unwrap().to_string());
        let words =
            ["train", "--data", &data, "--out", &out, "--model", model, "--device", "cpu", "--quiet", "--epochs", "2"];
        succeed(&[&words[..], more].concat());
    }
    runs
});

fn run(name: &str) -> PathBuf {
    RUNS.path().join(name)
}

/// Pictures of odd sizes and kinds, each with the channels that are read of it.
fn pictures() -> Vec<(&'static str, DynamicImage)> {
    let grey = |width, height| GrayImage::from_fn(width, height, |x, y| Luma([(x * 5 + y * 3) as u8]));
    let colour = |width, height| RgbImage::from_fn(width, height, |x, y| Rgb([(x * 2) as u8, (y * 3) as u8, 90]));
    let clear = RgbaImage::from_fn(9, 40, |x, y| Rgba([x as u8 * 20, y as u8 * 5, 30, (x * 28) as u8]));
    vec![
        ("1 x 1", grey(1, 1).into()),
        ("33 x 7", colour(33, 7).into()),
        ("9 x 40, half transparent", clear.into()),
        ("130 x 70, grey", grey(130, 70).into()),
        ("32 x 32", colour(32, 32).into()),
    ]
}

#[test]
fn pictures_of_any_size_come_back_in_their_size() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let [picture, codes, back, symbols] = ["in.png", "in.gae", "out.png", "out.npy"].map(at);
    for name in ["grey", "colour", "whole"] {
        let run = run(name);
        for (what, image) in pictures() {
            image.save(&picture).unwrap();
            for tile in if what.contains("grey") { &["256", "32"][..] } else { &["256"] } {
                let more = ["--device", "cpu", "--out", &codes, "--tile", tile];
                let made = json("compress", &run, &[&[&picture[..]], &more[..]].concat());
                let size = [f64::from(image.width()), f64::from(image.height())];
                assert_eq!([number(&made, "width"), number(&made, "height")], size, "{name}, {what}");
                assert_eq!(number(&made, "bytes"), std::fs::metadata(&codes).unwrap().len() as f64);
                assert!(number(&made, "estimated_bytes") < number(&made, "bytes"));
                let read = json("decompress", &run, &[&codes, "--device", "cpu", "--out", &back]);
                assert_eq!(read["of"], "picture");
                let found = image::open(&back).unwrap();
                assert_eq!([found.width(), found.height()], [image.width(), image.height()], "{name}, {what}");
                // The whole numbers of its tiles, of which the picture is made as well.
                let read = json("decompress", &run, &[&codes, "--device", "cpu", "--out", &symbols]);
                let shape: Vec<usize> = serde_json::from_value(read["shape"].clone()).unwrap();
                assert_eq!(shape[0] as f64, number(&made, "tiles"), "{name}, {what}: {made}");
                let count: usize = shape.iter().product();
                assert_eq!(numbers(Path::new(&symbols), count).len(), count);
                if name == "colour" && what == "33 x 7" {
                    let (one, other) = (image.to_rgb8(), found.to_rgb8());
                    let square = |(a, b): (&u8, &u8)| (f64::from(*a) - f64::from(*b)).powi(2) / 65025.0;
                    let mse = one.iter().zip(other.iter()).map(square).sum::<f64>() / (33.0 * 7.0 * 3.0);
                    assert!((number(&made, "psnr") + 10.0 * mse.log10()).abs() < 1e-6, "{made}");
                }
            }
        }
    }
}

/// Tiles are as large as they may be, and all alike; a network that sees all of an image has tiles of its own size.
#[test]
fn tiles_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let [picture, codes] = ["in.png", "in.gae"].map(at);
    GrayImage::from_pixel(300, 40, Luma([77])).save(&picture).unwrap();
    let told = |name: &str, tile: &[&str]| {
        let made = json("compress", &run(name), &[&[&picture[..], "--device", "cpu", "--out", &codes], tile].concat());
        let tile: [f64; 2] = serde_json::from_value(made["tile"].clone()).unwrap();
        (tile, number(&made, "tiles"))
    };
    // Codes of 7 x 7 have side codes of single numbers, those of 6 x 6 of 2 x 2.
    assert_eq!(told("grey", &[]), ([28.0, 20.0], 22.0));
    assert_eq!(told("grey", &["--tile", "256"]), ([152.0, 40.0], 2.0));
    assert_eq!(told("colour", &["--tile", "64"]), ([64.0, 40.0], 5.0));
    assert_eq!(told("whole", &[]), ([28.0, 28.0], 22.0));
    let said = succeed(&words("compress", &run("grey"), &[&picture, "--device", "cpu", "--out", &codes]));
    assert!(said.contains("a picture of 300 x 40 pixels in 22 tiles of 28 x 20") && said.contains("PSNR"), "{said}");
}

#[test]
fn what_is_no_picture_of_this_network_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let [picture, codes, bad, out] = ["in.png", "in.gae", "bad.gae", "out.png"].map(at);
    RgbImage::from_pixel(50, 60, Rgb([1, 2, 3])).save(&picture).unwrap();
    let colour = run("colour");
    json("compress", &colour, &[&picture, "--device", "cpu", "--out", &codes]);
    let bytes = std::fs::read(&codes).unwrap();
    for (cut, expected) in
        [(bytes.len() - 3, "the file ends before it does"), (20, "its header is damaged"), (2, "no file of codes")]
    {
        std::fs::write(&bad, &bytes[..cut]).unwrap();
        let message = refused("decompress", &colour, &[&bad, "--device", "cpu", "--out", &out]);
        assert!(message.contains(&bad) && message.contains(expected), "{message}");
        assert!(!Path::new(&out).exists(), "something was written");
    }
    let message = refused("decompress", &run("grey"), &[&codes, "--out", &out]);
    assert!(message.contains("was made by the model"), "{message}");
    // Rows are no picture, and no other file is one.
    json("compress", &run("grey"), &["--device", "cpu", "--out", &bad]);
    assert!(refused("decompress", &run("grey"), &[&bad, "--out", &out]).contains("its rows are no picture"));
    std::fs::write(&picture, "no image").unwrap();
    let message = refused("compress", &colour, &[&picture, "--out", &codes]);
    assert!(message.contains(&picture) && message.contains("expected an image"), "{message}");
    assert!(refused("compress", &colour, &[&picture, "--data", "mnist", "--out", &codes]).contains("--data mnist"));
    assert!(refused("compress", &colour, &[&picture, "--split", "test", "--out", &codes]).contains("--split"));
    assert!(refused("compress", &colour, &["--tile", "64", "--out", &codes]).contains("PICTURE"));
    let message = refused("compress", &super::run("gaussian"), &[&picture, "--out", &codes]);
    assert!(message.contains("reconstructs images") && message.contains("--model codec"), "{message}");
}
