//! First commands of people with data of their own: flags that mean nothing, tables as they come, lengths that suffice.

use std::path::{Path, PathBuf};

use crate::program::{gpu_ae, succeed};

/// A folder of data of several kinds.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        let mut text = "size,price,when,colour,\"a,b\",kind\n".to_string();
        for row in 0..96 {
            let day = row % 28 + 1;
            let size = 4.3 + (row * 7 % 31) as f64 / 10.0;
            text += &format!(
                "{size:.1},\"{},{:03}\",2024-{:02}-{day:02},{},{}.5,{}\n",
                row + 1,
                row * 7 % 1000,
                row / 28 + 1,
                ["red", "blue"][row % 2],
                row % 9,
                ["oak", "elm", "ash"][row % 3]
            );
        }
        std::fs::write(place.at("trees.csv"), text).unwrap();
        std::fs::write(place.at("one.csv"), "a,b\n1,2\n").unwrap();
        std::fs::write(place.at("text.parquet"), "a,b\n1,2\n3,4\n").unwrap();
        std::fs::create_dir(place.at("photos")).unwrap();
        for number in 0..12u8 {
            let image = image::RgbImage::from_fn(6, 5, |x, y| image::Rgb([(x * 20 + y) as u8 + number; 3]));
            for end in ["bmp", "gif", "webp", "png"] {
                image.save(place.at("photos").join(format!("{number}.{end}"))).unwrap();
            }
        }
        let rows: Vec<f32> = (0..60).map(|place| place as f32 / 60.0).collect();
        gpu_ae::data::format::npy::write_rows(&place.at("rows.npy"), 5, &rows).unwrap();
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Words of a command; what is behind an @ is a name in the folder.
    fn words(&self, line: &str) -> Vec<String> {
        let at = |name: &str| self.at(name).display().to_string();
        line.split_whitespace().map(|word| word.strip_prefix('@').map_or(word.to_string(), at)).collect()
    }

    fn ok(&self, line: &str) -> String {
        succeed(&self.words(line).iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn said(&self, line: &str) -> (Option<i32>, String) {
        let output = gpu_ae(&self.words(line).iter().map(String::as_str).collect::<Vec<_>>());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    #[track_caller]
    fn refused(&self, line: &str, parts: &[&str]) {
        let (code, message) = self.said(line);
        assert_eq!(code, Some(2), "{line}: {message}");
        parts.iter().for_each(|part| assert!(message.contains(part), "{line}: '{part}' is not in: {message}"));
    }
}

fn column(path: &Path, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let place = reader.headers().unwrap().iter().position(|other| other == name).unwrap();
    reader.records().map(|record| record.unwrap()[place].to_string()).collect()
}

#[test]
fn flags_that_mean_nothing_are_refused_by_their_names() {
    let place = Place::new();
    let train = "--epochs 1 --device cpu --quiet --recipe plain";
    for (data, flags) in [
        ("@trees.csv", &["--size 8x8", "--crop none", "--grey", "--skip-broken", "--key x"][..]),
        ("@rows.npy", &["--drop a", "--id a", "--header true", "--size 8x8", "--grey", "--key x"]),
        ("@photos", &["--drop a", "--id a", "--label a", "--header true", "--key x"]),
        ("mnist", &["--label foo", "--key x", "--grey", "--test 0.5"]),
        ("digits", &["--label foo", "--drop a"]),
    ] {
        for flag in flags {
            let named = flag.split(' ').next().unwrap();
            for command in ["train --out @no --data", "cluster --out @no --data", "config check --data", "data info"] {
                place.refused(&format!("{command} {data} {flag}"), &[&format!("{named}: has no effect")]);
            }
            place.refused(
                &format!("sweep --out @no --data {data} {flag} {train}").replace("--device cpu", ""),
                &[named],
            );
        }
    }
    assert!(!place.at("no").exists());
    // What a file says is judged as well.
    std::fs::write(place.at("c.toml"), format!("[data]\npath = {:?}\ngrey = true\n", place.at("trees.csv"))).unwrap();
    place.refused("train --config @c.toml --out @no", &["--grey: has no effect; trees is a table"]);
    // Of a finished run, what is typed now; what it was made with holds where it means something.
    place.ok(&format!("train --data @trees.csv --label kind --header true --drop when --out @run {train}"));
    place.refused("eval @run --grey", &["--grey: has no effect; trees is a table"]);
    place.refused("eval @run --data @trees.csv --size 8x8", &["--size: has no effect"]);
    place.refused("eval @run --label nope", &["--label 'nope'", "no such column"]);
    place.refused("eval @run --drop nope", &["--drop 'nope'"]);
    let table = std::fs::read_to_string(place.at("trees.csv")).unwrap();
    let without: Vec<String> = table.lines().map(|line| line.rsplit_once(',').unwrap().0.to_string()).collect();
    std::fs::write(place.at("newer.csv"), without.join("\n")).unwrap();
    place.ok("eval @run --data @newer.csv");
}

#[test]
fn columns_that_are_left_out_must_be_there() {
    let place = Place::new();
    place.refused("data info @trees.csv --drop colur", &["--drop 'colur'", "no such column; the nearest are 'colour'"]);
    place.refused("data info @trees.csv --drop size,colur", &["--drop 'colur'"]);
    let told = place.ok("data info @trees.csv --drop a,b --drop size,colour");
    assert!(!told.contains("a,b") && !told.contains("\nsize ") && !told.contains("\ncolour "), "{told}");
    place.refused("data info @trees.csv --drop price --label pryce", &["--label 'pryce'", "'price'"]);
}

#[test]
fn tables_say_what_is_missing_of_them() {
    let place = Place::new();
    let (_, notices) = place.said("data info @trees.csv");
    assert!(notices.contains("'1,000' is no number at line 2"), "{notices}");
    assert!(notices.contains("'2024-01-01' is no number at line 2"), "{notices}");
    let told = place.ok("data info @trees.csv");
    assert!(told.contains("no classes; --label kind would take 'kind' as them"), "{told}");
    place.refused("data info @one.csv", &["one.csv", "one row, expected at least two"]);
    place.refused("data info @text.parquet", &["is no Parquet"]);
    let photo = place.at("photos").join("3.png");
    place.refused(&format!("data info {}", photo.display()), &["is one image; give the folder", "photos"]);
    let told = place.ok("data info @photos");
    assert!(told.contains("grey images, 6 x 5"), "{told}");
}

#[test]
fn few_rows_are_trained_on_long_enough() {
    let place = Place::new();
    let (code, said) = place.said("train --data @trees.csv --recipe plain --device cpu --out @run");
    // 76 rows or so to learn from: 8 a step, 10 steps an epoch, 200 epochs.
    let config = std::fs::read_to_string(place.at("run/config.toml")).unwrap();
    let said_of = |key: &str| -> u64 {
        let line = config.lines().find(|line| line.starts_with(key)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let (epochs, batch) = (said_of("epochs"), said_of("batch_size"));
    assert_eq!((code, batch), (Some(0), 8), "{said}");
    let steps = said.split(&format!("epochs {epochs}: ")).nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    let steps: u64 = steps.replace(',', "").parse().unwrap();
    assert!((2000..2000 + 16).contains(&steps), "{said}");
    let told = place.ok("config check --data @trees.csv --recipe plain --epochs 3 --device cpu");
    assert!(told.contains("epochs 3: "), "{told}");
    assert!(place.ok("config check --device cpu").contains("epochs 10: 4,690 steps"));
    // The same of clusters, unless it is said.
    let (_, said) =
        place.said("cluster --data @rows.npy --device cpu --out @clusters --clusters 2 --batch-size 4 --epochs 2");
    assert!(said.contains("epochs 2: "), "{said}");
    // Numbers come back as they were written.
    std::fs::copy(place.at("trees.csv"), place.at("again-trees.csv")).unwrap();
    place.ok("reconstruct @run --data @again-trees.csv --out @again.csv --quiet");
    let sizes = column(&place.at("again.csv"), "size");
    assert_eq!(
        sizes,
        column(&place.at("trees.csv"), "size")
            .iter()
            .map(|size| { size.parse::<f64>().unwrap().to_string() })
            .collect::<Vec<_>>()
    );
    let answers = column(&place.at("again.csv"), "size (reconstructed)");
    assert!(answers.iter().all(|size| size.len() <= 4), "{answers:?}");
    let told = place.ok("compare @run @run --out @compared.png");
    assert!(told.lines().count() >= 4, "{told}");
}

#[test]
fn what_cannot_be_trained_is_refused_before_it_is_decoded() {
    let place = Place::new();
    let (code, said) = place.said("train --data @photos --size 4096x4096 --device cpu --out @run");
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("--size 4096x4096") && said.contains("parameters") && said.contains("smaller --size"),
        "{said}"
    );
    assert!(!place.at("run").exists());
    // More than a portable binding holds: what the CPU trains it is not refused for.
    let wide: Vec<f32> = (0..40 * 30_000).map(|place| (place % 97) as f32 / 97.0).collect();
    gpu_ae::data::format::npy::write_rows(&place.at("wide.npy"), 30_000, &wide).unwrap();
    let flags = "--data @wide.npy --recipe plain --set encoder.1.linear=1200";
    let told = place.ok(&format!("config check {flags} --device cpu"));
    assert!(told.contains("30000 to 1200"), "{told}");
    for (line, near) in [("foo=1", "nearest are"), ("epoch=3", "epochs"), ("entropy.alfa=2", "entropy.alpha")] {
        place.refused(&format!("config check --set {line}"), &["--set", "there is no key", near]);
    }
}
