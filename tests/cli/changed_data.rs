//! A run whose data is no more what it was: its scheme holds, and what it did not learn from is told.

use std::path::Path;

use gpu_ae::train::Checkpoint;

use crate::program::{checkpoint, gpu_ae, succeed};

/// A table of three columns; `scaled` multiplies the second.
fn table(names: [&str; 3], order: [usize; 3], scaled: f64, rows: usize) -> String {
    let mut text = order.map(|place| names[place]).join(",") + "\n";
    for row in 0..rows {
        let x = (row * 37 % 101) as f64 / 10.0;
        let cells = [format!("{x:.1}"), format!("{:.2}", scaled * (3.0 * x + 1.0)), ["red", "blue"][row % 2].into()];
        text += &(order.map(|place| cells[place].as_str()).join(",") + "\n");
    }
    text
}

const NAMES: [&str; 3] = ["height", "girth", "colour"];

fn train(data: &Path, out: &Path, epochs: &str) {
    let [data, out] = [data, out].map(|path| path.to_str().unwrap());
    let fixed = ["train", "--data", data, "--out", out, "--recipe", "plain", "--batch-size", "16", "--epochs", epochs];
    succeed(&[&fixed[..], &["--device", "cpu", "--quiet"]].concat());
}

/// The message of the command, which must be refused.
#[track_caller]
fn refused(arguments: &[&str], parts: &[&str]) {
    let output = gpu_ae(arguments);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    parts.iter().for_each(|part| assert!(message.contains(part), "'{part}' is not in: {message}"));
}

#[test]
fn a_resumed_run_keeps_its_scheme_and_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (data, run) = (at("trees.csv"), at("run"));
    let write = |text: String| std::fs::write(&data, text).unwrap();
    write(table(NAMES, [0, 1, 2], 1.0, 120));
    train(&data, &at("whole"), "6");
    train(&data, &run, "3");
    let name = run.to_str().unwrap();
    let resume = ["train", "--resume", name, "--epochs", "6", "--device", "cpu", "--quiet"];
    let before = std::fs::read(checkpoint(&run)).unwrap();
    let path = data.to_str().unwrap();
    // Other values, fewer rows, a column by another name: nothing is trained.
    write(table(NAMES, [0, 1, 2], 100.0, 120));
    refused(&resume, &[path, "other values", "train a new run"]);
    write(table(NAMES, [0, 1, 2], 1.0, 90));
    refused(&resume, &[path, "training rows, where there were"]);
    write(table(["height", "width", "colour"], [0, 1, 2], 1.0, 120));
    refused(&resume, &["trees.csv", "no column 'girth'"]);
    assert!(std::fs::read(checkpoint(&run)).unwrap() == before, "what was refused changed the run");
    // A test of other rows is told of.
    write(table(NAMES, [0, 1, 2], 2.0, 120));
    let told = gpu_ae(&["eval", name]);
    let notice = String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success() && notice.contains("has changed since it was trained on"), "{notice}");
    // Columns are found by their names, wherever they stand.
    write(table(NAMES, [2, 0, 1], 1.0, 120));
    let told = gpu_ae(&["eval", name]);
    assert!(!String::from_utf8_lossy(&told.stderr).contains("has changed"));
    succeed(&resume);
    let [whole, resumed] = [at("whole"), run].map(|run| Checkpoint::load(&checkpoint(&run)).unwrap());
    assert!(whole.state == resumed.state && whole.encoding == resumed.encoding && whole.rows == resumed.rows);
}

#[test]
fn data_that_is_gone_or_has_moved() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (data, moved, run) = (at("trees.csv"), at("moved.csv"), at("run"));
    std::fs::write(&data, table(NAMES, [0, 1, 2], 1.0, 60)).unwrap();
    train(&data, &run, "2");
    std::fs::rename(&data, &moved).unwrap();
    let (name, moved) = (run.to_str().unwrap(), moved.to_str().unwrap());
    let gone = format!("{name}: the run's data '{}' is gone; --data PATH names it anew", data.display());
    refused(&["eval", name], &[&gone]);
    let resume = ["train", "--resume", name, "--epochs", "3", "--device", "cpu", "--quiet"];
    refused(&resume, &[&gone]);
    let other = at("other.csv");
    std::fs::write(&other, table(NAMES, [0, 1, 2], 5.0, 60)).unwrap();
    refused(&[&resume[..], &["--data", other.to_str().unwrap()]].concat(), &["other.csv", "other values"]);
    succeed(&[&resume[..], &["--data", moved]].concat());
    succeed(&["eval", name]);
    assert!(std::fs::read_to_string(run.join("config.toml")).unwrap().contains("moved.csv"));
    // A checkpoint from before rows were told from others goes on with as many.
    let old = Checkpoint { rows: None, ..Checkpoint::load(&checkpoint(&run)).unwrap() };
    old.replace(&checkpoint(&run)).unwrap();
    succeed(&["train", "--resume", name, "--epochs", "4", "--device", "cpu", "--quiet"]);
    old.replace(&checkpoint(&run)).unwrap();
    std::fs::write(moved, table(NAMES, [0, 1, 2], 1.0, 50)).unwrap();
    refused(&["train", "--resume", name, "--epochs", "5", "--device", "cpu"], &["training rows, where there were"]);
}

/// Grey pictures are brought to the colours of a run; anything else is refused with a way to bring it there.
#[test]
fn pictures_of_another_kind() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let draw = |kind: &str, width: u32, colour: bool| {
        std::fs::create_dir_all(at(kind)).unwrap();
        for number in 0..12u32 {
            let image = image::RgbImage::from_fn(width, 6, |x, y| {
                let grey = (x * 30 + y * 7 + number * 5) as u8;
                image::Rgb(if colour { [grey, 40, 200 - grey / 2] } else { [grey; 3] })
            });
            image.save(at(kind).join(format!("{number}.png"))).unwrap();
        }
    };
    draw("colours", 8, true);
    draw("greys", 8, false);
    draw("wide", 10, true);
    train(&at("colours"), &at("of-colours"), "1");
    train(&at("greys"), &at("of-greys"), "1");
    let [colours, greys, wide, of_colours, of_greys] =
        ["colours", "greys", "wide", "of-colours", "of-greys"].map(|name| at(name).to_str().unwrap().to_string());
    succeed(&["eval", &of_colours, "--data", &greys]);
    refused(&["eval", &of_greys, "--data", &colours], &["colour images of 8 x 6 pixels", "--grey makes them so"]);
    succeed(&["eval", &of_greys, "--data", &colours, "--grey"]);
    refused(&["eval", &of_colours, "--data", &wide], &["10 x 6 pixels", "--size 8x6 brings images to it"]);
    succeed(&["eval", &of_colours, "--data", &wide, "--size", "8x6"]);
    // The files of a run are others: of another size, or of the same with other pixels.
    draw("colours", 9, true);
    let resume = ["train", "--resume", &of_colours, "--epochs", "2", "--device", "cpu"];
    refused(&resume, &["9 x 6 pixels", "8 x 6 pixels"]);
    draw("colours", 8, false);
    refused(&resume, &[&colours, "other values"]);
    draw("colours", 8, true);
    succeed(&resume);
}

#[test]
fn data_of_another_kind_than_the_run_s() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("trees.csv"), table(NAMES, [0, 1, 2], 1.0, 60)).unwrap();
    std::fs::create_dir(at("photos")).unwrap();
    for number in 0..4u8 {
        image::GrayImage::from_pixel(5, 4, image::Luma([40 * number]))
            .save(at("photos").join(format!("{number}.png")))
            .unwrap();
    }
    train(&at("trees.csv"), &at("of-trees"), "1");
    train(&at("photos"), &at("of-photos"), "1");
    let [trees, photos, of_trees, of_photos] =
        ["trees.csv", "photos", "of-trees", "of-photos"].map(|name| at(name).to_str().unwrap().to_string());
    let said = format!("{of_trees} was trained on a table with the columns 'height', 'girth', 'colour'");
    refused(&["score", &of_trees, "--data", &photos], &["is a folder of images", &said]);
    let said = format!("{of_photos} was trained on grey images of 5 x 4 pixels");
    refused(&["score", &of_photos, "--data", &trees], &["is a table", &said]);
}
