//! Pictures and tables of data of one's own: colour images in folders, tables of numbers and words.

use std::fmt::Write as _;
use std::path::Path;

use crate::program::{gpu_ae, succeed};

fn train(data: &Path, out: &Path, more: &[&str]) {
    let fixed =
        ["train", "--device", "cpu", "--quiet", "--data", data.to_str().unwrap(), "--out", out.to_str().unwrap()];
    succeed(&[&fixed[..], more].concat());
}

/// Names of the pictures in a folder.
fn pictures(run: &Path) -> Vec<String> {
    let names = std::fs::read_dir(run).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".png")).collect();
    names.sort();
    names
}

/// A table with numbers, words and cells that are missing.
fn table(path: &Path) {
    let mut text = "size,mass,colour,kind\n".to_string();
    for row in 0..120 {
        let size = 10 + row * 7 % 50;
        let mass = if row % 11 == 0 { String::new() } else { (3 * size + row % 5).to_string() };
        writeln!(text, "{size},{mass},{},{}", ["red", "green"][row % 2], ["small", "large"][usize::from(size > 35)])
            .unwrap();
    }
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_table_is_drawn_by_its_columns_and_written_in_its_own_units() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (folder.path().join("things.csv"), folder.path().join("run"));
    table(&data);
    train(&data, &run, &["--model", "vae", "--epochs", "1", "--label", "kind"]);
    let drawn = pictures(&run);
    for name in ["reconstructions.png", "columns.png", "weights.png"] {
        assert!(drawn.iter().any(|found| found == name), "{name} is not in {drawn:?}");
    }
    assert!(!drawn.iter().any(|name| name == "features.png"), "{drawn:?}");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let name = run.to_str().unwrap();
    let out = path("rows.csv");
    let told = succeed(&["generate", name, "--device", "cpu", "--count", "30", "--out", &out]);
    assert!(told.contains("size") && told.contains("and 18 more rows"), "{told}");
    let text = std::fs::read_to_string(&out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines.len()), ("size,mass,colour", 31));
    assert!(lines[1..].iter().all(|line| line.ends_with(",red") || line.ends_with(",green")), "{text}");
    succeed(&["interpolate", name, "--device", "cpu", "--between", "0,1", "--steps", "3", "--out", &out]);
    let text = std::fs::read_to_string(&out).unwrap();
    let steps: Vec<&str> = text.lines().map(|line| line.rsplit(',').nth(3).unwrap()).collect();
    assert_eq!(steps, ["step", "original", "1", "2", "3", "original"]);
    for command in ["generate", "interpolate"] {
        let refused = gpu_ae(&[command, name, "--device", "cpu", "--out", &path("rows.png")]);
        let message = String::from_utf8_lossy(&refused.stderr).to_string();
        assert!(refused.status.code() == Some(2) && message.contains("rows.csv"), "{message}");
    }
    succeed(&["traverse", name, "--device", "cpu", "--out", &path("traversal.png")]);
    succeed(&["score", name, "--device", "cpu", "--picture", &path("scores.png"), "--out", &path("scores.csv")]);
    succeed(&["reconstruct", name, "--device", "cpu", "--out", &path("errors.png")]);
    assert_eq!(pictures(folder.path()), ["errors.png", "scores.png", "traversal.png"]);
    let classifier = folder.path().join("classifier");
    train(&data, &classifier, &["--model", "classifier", "--epochs", "1", "--label", "kind"]);
}

#[test]
fn colour_images_without_classes_are_drawn_in_colour() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (folder.path().join("photos"), folder.path().join("run"));
    std::fs::create_dir(&data).unwrap();
    for number in 0..40_u8 {
        let image = image::RgbImage::from_fn(9, 12, |x, y| image::Rgb([200, 3 * number, (10 * x + y) as u8]));
        image.save(data.join(format!("{number}.png"))).unwrap();
    }
    train(&data, &run, &["--model", "wae", "--epochs", "1"]);
    let drawn = image::open(run.join("reconstructions.png")).unwrap().to_rgb8();
    assert!(
        drawn.pixels().filter(|pixel| pixel[0] == 200 && pixel[1] < 120).count() > 1000,
        "no colour of the originals"
    );
    let name = run.to_str().unwrap();
    for command in ["generate", "interpolate", "traverse", "score"] {
        succeed(&[command, name, "--device", "cpu"]);
    }
    let cluster = folder.path().join("cluster");
    let flags = ["--device", "cpu", "--clusters", "2", "--epochs", "1", "--out", cluster.to_str().unwrap()];
    succeed(&[&["cluster", "--data", data.to_str().unwrap()][..], &flags].concat());
    let counts = std::fs::read_to_string(cluster.join("clusters.csv")).unwrap();
    let rows: usize =
        counts.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse::<usize>().unwrap()).sum();
    assert!(counts.starts_with("cluster,rows\n") && rows > 0, "{counts}");
}

/// Images are changed while training alone: a picture shows how, the run's configuration says of what size they are and what
/// is black, and what cannot be changed is refused by name.
#[test]
fn images_are_changed_at_random_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (folder.path().join("photos"), folder.path().join("run"));
    std::fs::create_dir(&data).unwrap();
    for number in 0..40_u8 {
        let image = image::RgbImage::from_fn(9, 12, |x, y| image::Rgb([200, 3 * number, (10 * x + y) as u8]));
        image.save(data.join(format!("{number}.png"))).unwrap();
    }
    let changes = ["--set", "augment.flip=0.5", "--set", "augment.rotate=20", "--set", "augment.hue=0.3"];
    train(&data, &run, &[&changes[..], &["--epochs", "2"]].concat());
    let config = std::fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("image = \"12x9x3\"") && config.contains("rotate = 20.0"), "{config}");
    assert!(pictures(&run).iter().any(|name| name == "augmented.png"), "{:?}", pictures(&run));
    succeed(&["train", "--resume", run.to_str().unwrap(), "--epochs", "3", "--quiet"]);

    let things = folder.path().join("things.csv");
    table(&things);
    let refused = |data: &Path, set: &str| {
        let output =
            gpu_ae(&["train", "--device", "cpu", "--data", data.to_str().unwrap(), "--set", set, "--out", "never"]);
        assert!(output.status.code() == Some(2) && !Path::new("never").exists());
        String::from_utf8_lossy(&output.stderr).to_string()
    };
    let message = refused(&things, "augment.flip=0.5");
    assert!(message.contains("augment: expected images, and things has rows of"), "{message}");
    let message = refused(&data, "augment.crop=9");
    assert!(message.contains("augment.crop 9: expected fewer than the 9 pixels"), "{message}");
    let message = refused(&data, "augment.jitter=0.5");
    assert!(message.contains("augment.jitter"), "{message}");
}
