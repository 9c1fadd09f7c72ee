//! Data of one's own through every command that says or writes something of it: a table, a folder of images, an array.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::program::{gpu_ae, succeed};
use gpu_ae::data::format::npy::write_rows;
use serde_json::Value;

/// Rows of the table.
const TREES: usize = 160;

/// Data of three kinds, other data of the same kinds, and runs on the first.
struct Fixture {
    folder: tempfile::TempDir,
}

/// A number from 0 to 1 that looks random and is the same every time.
fn noise(seed: usize) -> f64 {
    let bits = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / (1u64 << 24) as f64
}

/// A table of trees whose girth follows from their height, and whose colour from their species.
fn trees(first: usize, rows: usize, odd: Option<usize>) -> String {
    let mut text = "id,species,height,girth,colour,age\n".to_string();
    for row in first..first + rows {
        let kind = row % 3;
        let height = 10.0 + 5.0 * kind as f64 + noise(row);
        let girth = 3.0 * height + 0.2 * noise(row + 7000) + if odd == Some(row) { 40.0 } else { 0.0 };
        let age = if row % 40 == 39 { String::new() } else { format!("{:.1}", 7.0 * height) };
        let (species, colour) = (["oak", "elm", "ash, mountain"][kind], ["brown", "green", "grey"][kind]);
        text += &format!("tree {row},\"{species}\",{height:.2},{girth:.2},{colour},{age}\n");
    }
    text
}

/// A picture of 10 x 12: a bar across or a pole, perhaps with a spot in its lower right.
fn drawing(number: usize, is_bar: bool, odd: bool) -> image::RgbImage {
    let place = 2 + (5.0 * noise(number)) as u32;
    image::RgbImage::from_fn(10, 12, |x, y| {
        let is_on = if is_bar { (place..place + 2).contains(&y) } else { (place..place + 2).contains(&x) };
        let is_spot = odd && x >= 7 && y >= 9;
        image::Rgb([
            if is_on && is_bar { 230 } else { 40 },
            if is_on && !is_bar { 230 } else { 40 },
            if is_spot { 250 } else { 40 },
        ])
    })
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("trees.csv"), trees(0, TREES, None)).unwrap();
    std::fs::write(at("newer.csv"), trees(1000, 20, Some(1007)).replace("tree 1009,\"elm\"", "tree 1009,pine"))
        .unwrap();
    for (kind, is_bar) in [("bars", true), ("poles", false)] {
        std::fs::create_dir_all(at("photos").join(kind)).unwrap();
        for number in 0..24 {
            drawing(number, is_bar, false).save(at("photos").join(kind).join(format!("{kind} {number}.png"))).unwrap();
        }
    }
    std::fs::create_dir(at("more")).unwrap();
    for number in 0..6 {
        drawing(100 + number, true, number == 4).save(at("more").join(format!("{number}.png"))).unwrap();
    }
    let rows: Vec<f32> = (0..60 * 5).map(|place| 100.0 + 9.0 * noise(place) as f32).collect();
    write_rows(&at("rows.npy"), 5, &rows).unwrap();
    let fixture = Fixture { folder };
    let table = [
        "--label",
        "species",
        "--id",
        "id",
        "--recipe",
        "plain",
        "--epochs",
        "80",
        "--batch-size",
        "16",
        "--lr",
        "0.01",
    ];
    let runs: [(&str, &str, &[&str]); 4] = [
        ("table", "trees.csv", &table),
        ("images", "photos", &["--recipe", "plain", "--epochs", "2", "--batch-size", "8"]),
        ("numbers", "rows.npy", &["--recipe", "plain", "--epochs", "2"]),
        ("classes", "photos", &["--model", "classifier", "--epochs", "2"]),
    ];
    for (name, data, more) in runs {
        let [out, data] = [name, data].map(|name| fixture.folder.path().join(name).to_str().unwrap().to_string());
        succeed(&[&["train", "--data", &data, "--out", &out, "--device", "cpu", "--quiet"][..], more].concat());
    }
    fixture
});

fn at(name: &str) -> String {
    FIXTURE.folder.path().join(name).to_str().unwrap().to_string()
}

/// Words of a command; what is behind an @ is a name in the fixture's folder.
fn words(line: &str) -> Vec<String> {
    let word = |word: &str| word.split_once('@').map_or(word.to_string(), |(flag, name)| flag.to_string() + &at(name));
    line.split_whitespace().map(word).collect()
}

fn ok(line: &str) -> String {
    let words = words(line);
    succeed(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn json(line: &str) -> Value {
    serde_json::from_str(&ok(line)).unwrap()
}

fn refused(line: &str) -> String {
    let words = words(line);
    let output = gpu_ae(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let message = String::from_utf8_lossy(&output.stderr).to_string();
    assert_eq!(output.status.code(), Some(2), "{line}: {message}");
    message
}

/// The records of a table, its headings first.
fn records(path: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(Path::new(path)).unwrap();
    reader.records().map(|record| record.unwrap().iter().map(String::from).collect()).collect()
}

#[test]
fn the_odd_column_of_an_odd_row_is_named_in_its_own_units() {
    let told = json("score @table --data @newer.csv --threshold 0.02 --json --out @odd.csv --picture @odd.png");
    let (verdict, largest) = (&told["verdict"], &told["largest"][0]);
    assert_eq!((&told["rows"], &verdict["fitted_on"]), (&20.into(), &"training rows".into()));
    assert_eq!((&largest["name"], &largest["odd"]), (&"tree 1007".into(), &true.into()), "{largest}");
    assert_eq!(largest["odd_columns"][0]["column"], "girth", "{largest}");
    let table = records(&at("odd.csv"));
    assert_eq!(table[0][..8], ["row", "name", "class", "error", "odd", "odd_1", "odd_1_value", "odd_1_expected"]);
    let row = table.iter().find(|row| row[1] == "tree 1007").unwrap();
    let girth: f64 = records(&at("newer.csv"))[8][3].parse().unwrap();
    assert_eq!((row[4].as_str(), row[5].as_str(), row[6].parse::<f64>().unwrap()), ("true", "girth", girth));
    assert!(row[7].parse::<f64>().unwrap() < girth - 20.0, "{row:?}");
    assert_eq!(verdict["odd"], table.iter().filter(|row| row[4] == "true").count());
    assert!(table.iter().any(|row| row[2] == "pine") && table.iter().any(|row| row[2] == "ash, mountain"));
    // Of the rows that the border is fitted on no more than the share are beyond it.
    let own = json("score @table --data @trees.csv --threshold 0.1 --json --out @own.csv --picture @odd.png");
    assert!(own["verdict"]["fitted_rows"].as_u64().unwrap() + own["rows"].as_u64().unwrap() == TREES as u64, "{own}");
    let explained = ok("score @table --explain --out @odd.csv --picture @odd.png");
    assert!(explained.contains("expected") && explained.contains("of the error"), "{explained}");
    assert!(refused("score @table --explain=x.png").contains("prints a table"));
}

#[test]
fn the_odd_part_of_an_odd_image_is_shown() {
    let told =
        json("score @images --data @more --threshold 0.1 --json --explain=@why.png --out @more.csv --picture @m.png");
    let odd = told["largest"].as_array().unwrap().iter().find(|row| row["name"] == "4.png").unwrap();
    let region = &odd["odd_region"];
    assert!(odd.get("class").is_none() && region["width"] == 3 && region["height"] == 3, "{odd}");
    assert_eq!((&region["x"], &region["y"]), (&7.into(), &9.into()), "the spot is there: {odd}");
    let table = records(&at("more.csv"));
    assert_eq!(table[0], ["row", "name", "class", "error", "odd", "odd_region"]);
    assert_eq!(table.iter().find(|row| row[1] == "4.png").unwrap()[5], "7 9 3 3");
    // Three rows of six images below a title, in colour.
    let picture = image::open(at("why.png")).unwrap().to_rgb8();
    assert!(picture.height() > 3 * 60 && picture.pixels().any(|pixel| pixel.0[0] > 200 && pixel.0[2] < 40));
    assert_eq!(ok("score @images --out @all.csv --picture @m.png --normal bars").matches("AUROC").count(), 1);
}

#[test]
fn a_border_needs_no_training_rows_that_are_gone() {
    let [data, run] = ["gone.csv", "gone"].map(at);
    std::fs::write(&data, trees(0, 40, None)).unwrap();
    let flags =
        ["--label", "species", "--id", "id", "--recipe", "plain", "--epochs", "1", "--device", "cpu", "--quiet"];
    succeed(&[&["train", "--data", &data, "--out", &run][..], &flags].concat());
    std::fs::remove_file(&data).unwrap();
    let told = json("score @gone --data @newer.csv --threshold 0.1 --json --out @gone-scores.csv --picture @gone.png");
    assert_eq!((&told["verdict"]["fitted_on"], &told["verdict"]["odd"]), (&"scored rows".into(), &2.into()));
}

#[test]
fn codes_have_names() {
    ok("encode @table --out @codes.csv");
    let table = records(&at("codes.csv"));
    assert_eq!(table[0][..4], ["row", "name", "class", "code_1"]);
    assert!(table[1][1].starts_with("tree ") && table[1].len() == table[0].len());
    let told = ok("encode @table --split all --out @codes.npy");
    assert!(told.contains("--names FILE.csv"), "{told}");
    let told = json("encode @images --split all --out @i.npy --names @names.csv --labels @labels.npy --json");
    assert_eq!(told["rows"], 48);
    let names = records(&at("names.csv"));
    assert_eq!((names.len(), names[0].len()), (49, 3));
    assert!(names.iter().any(|name| name[1] == "bars/bars 3.png" && name[2] == "bars"), "{names:?}");
    // Other data is encoded whole, whatever its classes, and by a classifier as well.
    assert_eq!(json("encode @classes --data @more --out @m.npy --json")["rows"], 6);
    assert_eq!(json("encode @table --data @newer.csv --out @m.npy --json")["rows"], 20);
    for (line, named) in [
        ("encode @images --data @more --labels @l.npy", "have no classes"),
        ("encode @images --split validation", "--split validation: photos has no such rows"),
        ("encode @table --out @x.csv --names @x.csv", "is the file of --out too"),
        ("encode @table --out @trees.csv", "is a file of the data"),
        ("encode @numbers --input @rows.npy --out @rows.npy", "is the file that is read"),
    ] {
        assert!(refused(line).contains(named), "{line}: {}", refused(line));
    }
}

#[test]
fn a_table_comes_back_in_its_own_units_and_words() {
    let told = ok("reconstruct @table --data @trees.csv --out @again.csv");
    assert!(told.contains("RMSE") && told.contains("wrong words") && told.contains("girth"), "{told}");
    let table = records(&at("again.csv"));
    assert_eq!(table[0][3..7], ["height", "height (reconstructed)", "girth", "girth (reconstructed)"]);
    let place = table[0].iter().position(|name| name == "colour").unwrap();
    let right = table[1..].iter().filter(|row| row[place] == row[place + 1]).count();
    assert!(right > 3 * table.len() / 4, "{right} of {}", table.len());
    // What is printed and what eval says is what the table says.
    let judged = json("eval @table --json");
    let girth = judged["columns"].as_array().unwrap().iter().find(|column| column["column"] == "girth").unwrap();
    let squares =
        table[1..].iter().map(|row| (row[5].parse::<f64>().unwrap() - row[6].parse::<f64>().unwrap()).powi(2));
    let rmse = (squares.sum::<f64>() / (table.len() - 1) as f64).sqrt();
    assert!((girth["rmse"].as_f64().unwrap() - rmse).abs() < 1e-3 * rmse, "{girth}, by hand {rmse}");
    assert_eq!(judged["rows"], table.len() - 1);
    assert!(ok("eval @table").contains("test rows)") && ok("eval @images").contains("test images)"));
    assert_eq!(
        records(&{
            ok("reconstruct @table --rows 3 --out @three.csv");
            at("three.csv")
        })
        .len(),
        4
    );
    ok("encode @table --out @table.npy");
    ok("decode @table @table.npy --out @decoded.csv");
    let decoded = records(&at("decoded.csv"));
    assert_eq!((decoded[0].join(","), decoded.len()), ("row,height,girth,colour,age".into(), table.len()));
    assert_eq!(decoded[1][2], table[1][6]);
    assert!(refused("decode @images @table.npy --out @x.csv").contains("is not of a table"));
    assert!(refused("reconstruct @images --out @x.csv").contains("photos is no table"));
    // Beyond a block of rows, which pictures do not reach.
    std::fs::write(at("many.csv"), trees(0, 5000, None)).unwrap();
    ok("reconstruct @table --data @many.csv --out @many-again.csv --quiet");
    let many = records(&at("many-again.csv"));
    assert_eq!(
        (many.len(), &many[4321][3], &many[4321][1]),
        (5001, &format!("{:.2}", 10.0 + noise(4320)).parse::<f64>().unwrap().to_string(), &"tree 4320".to_string())
    );
}

#[test]
fn classes_are_any_strings_or_none() {
    let clustered = |name: &str, flags: &str| {
        let told = ok(&format!("cluster {flags} --epochs 1 --device cpu --out @{name}"));
        (told, records(&PathBuf::from(at(name)).join("clusters.csv").display().to_string()))
    };
    let (told, table) = clustered("unlabelled", "--data @rows.npy");
    assert_eq!((table[0].join(","), table.len()), ("cluster,rows".into(), 11));
    assert!(table[1..].iter().map(|row| row[1].parse::<usize>().unwrap()).sum::<usize>() > 5);
    assert!(!told.contains("purity"), "{told}");
    let (_, table) = clustered("labelled", "--data @trees.csv --label species --id id");
    assert_eq!((table[0].join(";"), table.len()), ("cluster;rows;ash, mountain;elm;oak".into(), 4));
    assert!(ok("interpolate @images --classes bars,poles --out @between.png").contains("between.png"));
    for (line, named) in [
        ("interpolate @images --classes bars,cats --out @x.png", "expected a class of the test rows: bars, poles"),
        ("eval @classes --data @more", "expected rows with classes"),
        ("eval @table --data @nothing.csv", "no such data set, file or folder"),
        ("train --model classifier --data @more --out @no", "more has no classes"),
        ("train --model classifier --data @more --set classifier.labels=4 --out @no", "those of more have none"),
        ("train --data @rows.npy --without 3 --out @no", "have no classes"),
        ("score @images --data @more --normal bars", "have no classes"),
    ] {
        assert!(refused(line).contains(named), "{line}: {}", refused(line));
    }
    std::fs::create_dir_all(at("zoo/zebras")).unwrap();
    std::fs::create_dir_all(at("zoo/bars")).unwrap();
    drawing(7, true, false).save(at("zoo/zebras/1.png")).unwrap();
    drawing(8, true, false).save(at("zoo/bars/2.png")).unwrap();
    let message = refused("eval @classes --data @zoo");
    assert!(message.contains("class 'zebras', expected those that were learnt: bars, poles"), "{message}");
    // A slash at the end names no other data.
    assert_eq!(
        json("eval @classes --json")["rows"],
        json(&format!("eval @classes --data {}/ --json", at("photos")))["rows"]
    );
}

#[test]
fn the_network_that_fits_data_is_shown() {
    let told = ok("config check --data @trees.csv --label species --id id");
    assert!(told.contains("entropic on trees") && told.contains("decoder.3"), "{told}");
    let file = PathBuf::from(at("table")).join("config.toml");
    assert!(ok(&format!("config check {}", file.display())).contains("on trees"));
    let told = ok("config check --data @photos --model classifier");
    assert!(told.contains("to 2") && told.contains("cross_entropy"), "{told}");
    assert!(refused("config check --data @more --model classifier").contains("more has no classes"));
}

#[test]
fn classes_with_commas_are_put_in_quotes() {
    let (run, out) = (at("table"), at("between.csv"));
    let call = ["interpolate", &run, "--steps", "3", "--out", &out, "--quiet", "--classes"];
    succeed(&[&call[..], &[r#""ash, mountain", oak"#]].concat());
    assert!(std::fs::read_to_string(&out).unwrap().contains("ash, mountain"));
    for wrong in ["ash, mountain,oak", "oak", ""] {
        let output = gpu_ae(&[&call[..], &[wrong]].concat());
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && message.contains("in quotes"), "{wrong}: {message}");
    }
}
