//! `compress` and `decompress`: the same numbers on every device, in as many bytes as the model says they are worth.

mod pictures;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use gpu_ae::data::format::npy::{read_rows, write_rows};
use gpu_ae::device::{CpuDevice, Device};
use gpu_ae::model::part::Part;
use gpu_ae::study::lone_part::LonePart;
use gpu_ae::train::{Checkpoint, RunDir, Tuning};
use serde_json::Value;

use crate::common;
use crate::program::{gpu_ae, small_mnist, succeed, train};

/// Of a coded run: its name, what it is trained with, the shape of a row's numbers, and how many its side code has.
type Coded = (&'static str, &'static [&'static str], &'static [usize], usize);

const CODED: [Coded; 5] = [
    ("gaussian", &["--model", "compressive"], &[128], 0),
    ("factorized", &["--model", "compressive", "--set", "rate.model=factorized"], &[128], 0),
    ("hyperprior", &["--model", "compressive", "--set", "rate.model=hyperprior"], &[128], 8),
    // A map of 14 × 14 pixels, of which a cell of the side code's grid tells 2 × 2.
    (
        "map",
        &["--model", "conv", "--set", "rate.layer=2", "--set", "rate.model=hyperprior", "--set", "rate.side=3"],
        &[196, 16],
        49 * 3,
    ),
    // One of 7 × 7, of which it tells one.
    (
        "small map",
        &["--model", "conv", "--set", "rate.layer=3", "--set", "rate.model=hyperprior", "--set", "rate.side=2"],
        &[49, 32],
        49 * 2,
    ),
];

/// A small data set and runs on it, trained once for all tests.
struct Fixture {
    data: tempfile::TempDir,
    runs: tempfile::TempDir,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let (data, runs) = (small_mnist(), tempfile::tempdir().unwrap());
    let small = ["--device", "cpu", "--quiet", "--epochs", "3", "--batch-size", "32", "--lr", "0.003"];
    let without: [(&str, &[&str]); 1] = [("vae", &["--model", "vae", "--set", "width=4"])];
    for (name, more) in CODED.map(|(name, more, ..)| (name, more)).into_iter().chain(without) {
        let output = train(data.path(), &runs.path().join(name), &[&small[..], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    Fixture { data, runs }
});

fn run(name: &str) -> PathBuf {
    FIXTURE.runs.path().join(name)
}

/// The words of a command on a run, its file of codes, and where its result goes.
fn words<'a>(command: &'a str, run: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    [&[command, run.to_str().unwrap()][..], more].concat()
}

fn json(command: &str, run: &Path, more: &[&str]) -> Value {
    serde_json::from_str(&succeed(&words(command, run, &[more, &["--json"]].concat()))).unwrap()
}

#[track_caller]
fn refused(command: &str, run: &Path, more: &[&str]) -> String {
    let output = gpu_ae(&words(command, run, more));
    let message = String::from_utf8_lossy(&output.stderr).to_string();
    assert_eq!(output.status.code(), Some(2), "{command} {more:?}: {message}");
    message
}

/// A number of an object.
fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} of {value}"))
}

/// The whole numbers that a network itself makes of the test rows.
fn by_the_network(name: &str, device: Box<dyn Device>) -> Vec<i32> {
    let checkpoint = Checkpoint::load(&RunDir::open_network(&run(name)).unwrap().checkpoint()).unwrap();
    let checkpoint = checkpoint.judged().unwrap();
    let choices = Tuning::or_static(checkpoint.tuning.as_ref(), device.as_ref());
    let mut part = LonePart::open(device, &checkpoint, &choices, Part::Symbols).unwrap();
    let data = gpu_ae::data::load(&"mnist".into(), Some(FIXTURE.data.path()), 0, None).unwrap();
    let symbols = part.run_split(&data.test).unwrap();
    symbols
        .into_iter()
        .map(|symbol| {
            assert_eq!(symbol, symbol.round());
            symbol as i32
        })
        .collect()
}

/// The last so many numbers of an array of whole numbers.
fn numbers(file: &Path, count: usize) -> Vec<i32> {
    let bytes = std::fs::read(file).unwrap();
    assert!(String::from_utf8_lossy(&bytes[..128]).contains("'<i4'"));
    let (all, _) = bytes[bytes.len() - 4 * count..].as_chunks::<4>();
    all.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect()
}

/// The names of devices for `--device`, and the devices: the CPU device, and the adapter under test if there is one.
fn devices() -> Vec<(String, Box<dyn Device>)> {
    let cpu: Box<dyn Device> = Box::new(CpuDevice::new());
    let adapter = std::env::var("GPU_AE_TEST_DEVICE").unwrap_or("gpu".into());
    [("cpu".to_string(), cpu)].into_iter().chain(common::gpu().map(|device| (adapter, device))).collect()
}

#[test]
fn a_file_of_any_device_is_the_same_numbers_on_every_other() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (codes, out) = (at("codes.gae"), at("symbols.npy"));
    for (name, _, shape, side) in CODED {
        for (made_on, device) in devices() {
            let made = json("compress", &run(name), &["--device", &made_on, "--out", &codes]);
            let width: usize = shape.iter().product();
            assert_eq!([number(&made, "rows"), number(&made, "symbols")], [100.0, width as f64], "{name}");
            assert_eq!(number(&made, "side_symbols"), side as f64, "{name}");
            let expected = by_the_network(name, device);
            assert!(expected.iter().any(|&symbol| symbol != 0), "{name}: nothing to compare");
            for (read_on, _) in devices() {
                let read = json("decompress", &run(name), &[&codes, "--device", &read_on, "--out", &out]);
                assert_eq!(read["shape"], serde_json::json!([&[100], shape].concat()), "{name}");
                let found = numbers(Path::new(&out), 100 * width);
                assert!(found == expected, "{name}: made on {made_on}, read on {read_on}");
            }
        }
    }
}

/// Whatever lies in another order than the coder takes it for, blocks of a grid, neighbours, channels, makes its tables wrong, and
/// so the file larger than the network says.
#[test]
fn a_file_has_the_bytes_that_the_network_says() {
    let folder = tempfile::tempdir().unwrap();
    let codes = folder.path().join("codes.gae");
    for (name, ..) in CODED {
        let told = json("eval", &run(name), &["--device", "cpu"]);
        let made = json("compress", &run(name), &["--device", "cpu", "--out", codes.to_str().unwrap()]);
        let (bytes, estimated) = (number(&made, "bytes"), number(&made, "estimated_bytes"));
        assert_eq!(bytes, std::fs::metadata(&codes).unwrap().len() as f64);
        assert!((bytes - estimated).abs() <= 0.01 * estimated + 64.0, "{name}: {made}");
        let (tables, network) = (number(&made, "estimated_bits_per_row"), number(&told, "test_bits_per_row"));
        println!("{name}: {bytes} bytes, tables {tables}, network {network}");
        assert!((tables - network).abs() <= 0.02 * network, "{name}: tables {tables}, network {network}");
        let sides = [number(&made, "side_bits_per_dim"), number(&told, "test_side_bits_per_dim")];
        assert!((sides[0] - sides[1]).abs() <= 0.02 * sides[1] + 1e-3, "{name}: {sides:?}");
    }
}

#[test]
fn numbers_become_what_the_network_makes_of_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let [codes, code, direct, restored] = ["codes.gae", "codes.npy", "direct.npy", "restored.npy"].map(at);
    for (name, width, of) in [("hyperprior", 10, "logits"), ("map", 784, "rows")] {
        let run = run(name);
        succeed(&words("compress", &run, &["--device", "cpu", "--out", &codes]));
        let read = json("decompress", &run, &[&codes, "--device", "cpu", "--images", "--out", &restored]);
        assert_eq!((&read["of"], &read["shape"]), (&of.into(), &serde_json::json!([100, width])));
        let found = read_rows(Path::new(&restored), width, "a row").unwrap();
        assert_eq!(found.len(), 100 * width);
        if of == "rows" {
            succeed(&words("encode", &run, &["--device", "cpu", "--out", &code]));
            succeed(&words("decode", &run, &[&code, "--device", "cpu", "--out", &direct]));
            let expected = read_rows(Path::new(&direct), width, "a row").unwrap();
            let far = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(far < 1e-5, "{far}");
        }
    }
    let told = succeed(&words("decompress", &run("hyperprior"), &[&at("h.gae"), "--help"]));
    assert!(told.contains("--images"));
}

#[test]
fn rows_of_ones_own_are_compressed_too() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let [codes, rows, out] = ["codes.gae", "rows.npy", "symbols.npy"].map(at);
    write_rows(Path::new(&rows), 784, &vec![0.25; 3 * 784]).unwrap();
    let run = run("gaussian");
    let told = succeed(&words("compress", &run, &["--device", "cpu", "--input", &rows, "--out", &codes]));
    assert!(told.contains("3 rows of 128 whole numbers") && told.contains("by the tables"), "{told}");
    let read = json("decompress", &run, &[&codes, "--out", &out]);
    assert_eq!(read["shape"], serde_json::json!([3, 128]));
    let found = numbers(Path::new(&out), 3 * 128);
    assert!(found.chunks_exact(128).all(|row| row == &found[..128]), "rows that are alike");
    let all = json("compress", &run, &["--device", "cpu", "--split", "all", "--out", &codes]);
    assert_eq!(number(&all, "rows"), 400.0);
}

/// What is coded of images is shown where it is a map, and nothing is drawn of numbers in a row.
#[test]
fn coded_maps_are_drawn_beside_their_images() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("maps.png");
    let out = out.to_str().unwrap();
    let told = succeed(&words("inspect", &run("map"), &["--device", "cpu", "--codes", "--out", out]));
    assert!(told.contains("codes of 100 test rows") && told.contains(out), "{told}");
    let drawn = image::open(out).unwrap();
    assert!(drawn.width() > 400 && drawn.height() > 100, "{} x {}", drawn.width(), drawn.height());
    succeed(&words("inspect", &run("gaussian"), &["--device", "cpu", "--codes"]));
    assert!(!run("gaussian").join("coded_maps.png").exists());
    for name in ["gaussian", "vae"] {
        let message = refused("inspect", &run(name), &["--device", "cpu", "--codes", "--out", out]);
        assert!(message.contains("--out") && message.contains("maps"), "{name}: {message}");
    }
}

#[test]
fn what_is_no_file_of_this_network_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let [codes, bad, out] = ["codes.gae", "bad.gae", "symbols.npy"].map(at);
    let gaussian = run("gaussian");
    let made = json("compress", &gaussian, &["--device", "cpu", "--out", &codes]);
    let bytes = std::fs::read(&codes).unwrap();
    let damaged = |change: &dyn Fn(&mut Vec<u8>), expected: &str| {
        let mut changed = bytes.clone();
        change(&mut changed);
        std::fs::write(&bad, changed).unwrap();
        let message = refused("decompress", &gaussian, &[&bad, "--out", &out]);
        assert!(message.contains(&bad) && message.contains(expected), "{message}");
        assert!(!Path::new(&out).exists(), "something was written");
    };
    let half = bytes.len() / 2;
    damaged(&|bytes| bytes[half] ^= 4, "block 1 of 1, at byte");
    damaged(&|bytes| bytes[7] ^= 1, "its header is damaged");
    damaged(&|bytes| bytes.truncate(half), "the file ends before it does");
    damaged(&|bytes| bytes.push(0), "1 bytes follow its last block");
    damaged(&|bytes| *bytes = b"\x93NUMPY".to_vec(), "it is no file of codes");
    // Another network names both.
    let other = json("compress", &run("factorized"), &["--device", "cpu", "--out", &bad]);
    let message = refused("decompress", &gaussian, &[&bad, "--out", &out]);
    let names = [&other, &made].map(|file| file["model"].as_str().unwrap().to_string());
    assert!(names[0] != names[1] && names.iter().all(|name| message.contains(name.as_str())), "{message}");
    // And a network whose codes are no whole numbers has none.
    for (command, more) in [("compress", &["--out", &codes][..]), ("decompress", &[&codes, "--out", &out])] {
        let message = refused(command, &run("vae"), more);
        assert!(message.contains("[rate]") && message.contains("vae"), "{message}");
    }
    let message = refused("compress", &gaussian, &["--out", "codes.npy"]);
    assert!(message.contains("ends in .gae"), "{message}");
    assert!(refused("compress", &gaussian, &[]).contains("--out"));
    let message = refused("decompress", &gaussian, &[&codes, "--out", &codes]);
    assert!(message.contains(".npy"), "{message}");
}
