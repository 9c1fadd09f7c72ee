//! What a trained model is used for on the command line: codes, images, scores, comparisons.

mod onnx;
mod pictures;
mod told;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::program::{ROWS, gpu_ae, label_bytes, small_mnist, succeed, train};
use gpu_ae::data::format::npy::{read_rows, write_rows};
use gpu_ae::train::record::export::Part;
use gpu_ae::train::session::State;
use serde_json::Value;

const PIXELS: usize = 28 * 28;

/// A small data set and two runs on it, trained once for all tests.
struct Fixture {
    data: tempfile::TempDir,
    runs: tempfile::TempDir,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let (data, runs) = (small_mnist(), tempfile::tempdir().unwrap());
    let small = ["--device", "cpu", "--quiet", "--batch-size", "32"];
    let models: [(&str, &[&str]); 2] = [
        ("vae", &["--model", "vae", "--set", "width=4", "--epochs", "3", "--without", "7"]),
        ("plain", &["--recipe", "plain", "--epochs", "3"]),
    ];
    for (name, more) in models {
        let output = train(data.path(), &runs.path().join(name), &[&small[..], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    Fixture { data, runs }
});

fn run(name: &str) -> PathBuf {
    FIXTURE.runs.path().join(name)
}

/// The words of a command, paths among them.
fn words(parts: &[&dyn AsRef<Path>]) -> Vec<String> {
    parts.iter().map(|part| part.as_ref().to_str().unwrap().to_string()).collect()
}

fn ok(parts: &[&dyn AsRef<Path>]) -> String {
    let words = words(parts);
    succeed(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The message of a command that must be refused as bad usage or input.
fn refused(parts: &[&dyn AsRef<Path>]) -> String {
    let words = words(parts);
    let output = gpu_ae(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let message = String::from_utf8_lossy(&output.stderr).to_string();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
    message
}

fn test_rows() -> gpu_ae::data::Split {
    gpu_ae::data::load(&"mnist".into(), Some(FIXTURE.data.path()), 0, None).unwrap().test
}

/// What a title of so many lines adds to the height of a picture.
fn title(lines: u32) -> u32 {
    30 * lines + 8
}

fn size(picture: &Path) -> (u32, u32) {
    image::image_dimensions(picture).unwrap()
}

/// The mean squared error of a network of linear layers, ReLU behind all but a code that is a mean and a sigmoid at the end,
/// computed from what was exported of it alone.
fn error_of_exported(folder: &Path, is_mean: bool, rows: &[f32]) -> f64 {
    let mut values: Vec<Vec<f64>> =
        rows.chunks_exact(PIXELS).map(|row| row.iter().map(|&value| f64::from(value)).collect()).collect();
    for half in ["encoder", "decoder"] {
        let bytes = std::fs::read(folder.join(format!("{half}.safetensors"))).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let floats = |name: &str| -> Vec<f64> {
            let data = file.tensor(name).unwrap().data().to_vec();
            bytemuck::pod_collect_to_vec::<u8, f32>(&data).into_iter().map(f64::from).collect()
        };
        let mut keys: Vec<usize> =
            file.names().iter().filter_map(|n| n.strip_suffix(".weight")?.parse().ok()).collect();
        keys.sort_unstable();
        for (place, key) in keys.iter().enumerate() {
            let (weight, bias) = (floats(&format!("{key}.weight")), floats(&format!("{key}.bias")));
            let last = place + 1 == keys.len();
            for row in &mut values {
                let sum = |(weights, bias): (&[f64], &f64)| {
                    let sum = bias + weights.iter().zip(row.iter()).map(|(w, x)| w * x).sum::<f64>();
                    match (half, last) {
                        ("decoder", true) => 1.0 / (1.0 + (-sum).exp()),
                        ("encoder", true) if is_mean => sum,
                        _ => sum.max(0.0),
                    }
                };
                *row = weight.chunks_exact(row.len()).zip(&bias).map(sum).collect();
            }
        }
    }
    let error = |(row, answer): (&[f32], &Vec<f64>)| -> f64 {
        row.iter().zip(answer).map(|(&x, y)| (f64::from(x) - y).powi(2)).sum()
    };
    rows.chunks_exact(PIXELS).zip(&values).map(error).sum::<f64>() / rows.len() as f64
}

#[test]
fn codes_that_are_decoded_are_the_reconstructions() {
    let folder = tempfile::tempdir().unwrap();
    let [codes, labels, images, again] =
        ["codes.npy", "labels.npy", "images.npy", "again.npy"].map(|name| folder.path().join(name));
    for (name, width) in [("vae", 4), ("plain", 20)] {
        let told = ok(&[&"encode", &run(name), &"--out", &codes, &"--labels", &labels]);
        assert!(
            told.contains(&format!("codes.npy: f32 [100, {width}]")) && told.contains("labels.npy: u8 [100]"),
            "{told}"
        );
        let encoded = read_rows(&codes, width, "a code").unwrap();
        assert_eq!(encoded.len(), 100 * width);
        assert!(std::fs::read(&labels).unwrap().ends_with(&label_bytes(&test_rows())));
        let picture = folder.path().join("decoded.png");
        ok(&[&"decode", &run(name), &codes, &"--out", &images, &"--picture", &picture]);
        let decoded = read_rows(&images, PIXELS, "an image").unwrap();
        assert!(decoded.len() == 100 * PIXELS && decoded.iter().all(|value| (0.0..=1.0).contains(value)));
        assert_eq!(size(&picture), (16 * 87 - 3 + 32, 7 * 87 - 3 + 32 + title(1)));
        // What score says of every row is what these reconstructions miss of it.
        let table = folder.path().join("scores.csv");
        let told = ok(&[&"score", &run(name), &"--out", &table, &"--picture", &folder.path().join("scores.png")]);
        let text = std::fs::read_to_string(&table).unwrap();
        let test = test_rows();
        assert_eq!(text.lines().next(), Some("row,name,class,error,odd_region"));
        assert_eq!(text.lines().count(), 101);
        let mut sum = 0.0;
        for (row, line) in text.lines().skip(1).enumerate() {
            let cells: Vec<&str> = line.split(',').collect();
            assert_eq!((cells[0], cells[2]), (&*row.to_string(), &*test.labels[row].to_string()));
            let pairs = test.values(row..row + 1).into_iter().zip(&decoded[row * PIXELS..]);
            let error = pairs.map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>() / PIXELS as f64;
            let score: f64 = cells[3].parse().unwrap();
            assert!((score - error).abs() < 1e-5 * error, "row {row}: {score}, by hand {error}");
            sum += score;
        }
        // And what eval says of all rows is their mean, which follows from the exported weights as well.
        let judged: Value = serde_json::from_str(&ok(&[&"eval", &run(name), &"--json"])).unwrap();
        let judged = judged["test_mse"].as_f64().unwrap();
        assert!((judged - sum / 100.0).abs() < 1e-5 * judged, "{name}: eval {judged}, score {}", sum / 100.0);
        let exported = folder.path().join(name);
        ok(&[&"export", &run(name), &"--out", &exported]);
        let error = error_of_exported(&exported, name == "vae", &test.values(0..100));
        assert!((judged - error).abs() < 1e-5 * judged, "{name}: eval {judged}, from the exported weights {error}");
        // The ten largest are printed, the largest first.
        let score = |row: &str| text.lines().nth(1 + row.parse::<usize>().unwrap()).unwrap().split(',').nth(3).unwrap();
        let listed = told.lines().skip_while(|line| !line.starts_with("---")).skip(1).take(10);
        let listed: Vec<f64> =
            listed.map(|line| score(line.split_whitespace().next().unwrap()).parse().unwrap()).collect();
        let mut all: Vec<f64> =
            text.lines().skip(1).map(|line| line.split(',').nth(3).unwrap().parse().unwrap()).collect();
        all.sort_by(|a, b| b.total_cmp(a));
        assert_eq!(listed, all[..10]);
        // The same images from a file give the same codes.
        let input = folder.path().join("input.npy");
        write_rows(&input, PIXELS, &test.values(0..100)).unwrap();
        ok(&[&"encode", &run(name), &"--input", &input, &"--out", &again]);
        assert_eq!(std::fs::read(&codes).unwrap(), std::fs::read(&again).unwrap());
    }
}

#[test]
fn a_class_left_out_is_missed_in_training_only_and_is_the_anomaly() {
    let run = run("vae");
    let config = std::fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("without = 7"), "{config}");
    let train_rows = gpu_ae::data::load(&"mnist".into(), Some(FIXTURE.data.path()), 0, None).unwrap().train;
    let sevens = train_rows.labels.iter().filter(|label| **label == 7).count();
    let folder = tempfile::tempdir().unwrap();
    let codes = folder.path().join("codes.npy");
    let told: Value =
        serde_json::from_str(&ok(&[&"encode", &run, &"--split", &"train", &"--out", &codes, &"--json"])).unwrap();
    assert!(sevens > 0 && told["rows"] == ROWS - sevens && told["width"] == 4, "{told}");
    let score = |more: &[&dyn AsRef<Path>]| -> Value {
        let picture = folder.path().join("scores.png");
        let table = folder.path().join("scores.csv");
        let fixed: [&dyn AsRef<Path>; 7] = [&"score", &run, &"--json", &"--out", &table, &"--picture", &picture];
        let told = serde_json::from_str(&ok(&[&fixed[..], more].concat())).unwrap();
        assert!(size(&picture).0 > 16 * 87);
        told
    };
    let test_sevens = test_rows().labels.iter().filter(|label| **label == 7).count();
    let unasked = score(&[]);
    assert_eq!((unasked["rows"].as_u64(), unasked["anomaly"].as_str()), (Some(100), Some("7")));
    assert_eq!(unasked["anomalies"], test_sevens);
    assert_eq!(unasked["auroc"], score(&[&"--anomaly", &"7"])["auroc"]);
    // The other way round every pair is lost that was won.
    let turned = score(&[&"--normal", &"7"]);
    assert_eq!(turned["anomalies"], 100 - test_sevens);
    let sum = turned["auroc"].as_f64().unwrap() + unasked["auroc"].as_f64().unwrap();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    let judged: Value = serde_json::from_str(&ok(&[&"eval", &run, &"--json"])).unwrap();
    assert_eq!(judged["rows"], 100);
}

#[test]
fn a_run_without_a_class_goes_on_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let flags = ["--device", "cpu", "--quiet", "--recipe", "plain", "--epochs", "1", "--without", "3"];
    assert!(train(FIXTURE.data.path(), &path, &flags).status.success());
    ok(&[&"train", &"--resume", &path, &"--epochs", &"2", &"--quiet"]);
    let message = refused(&[&"train", &"--resume", &path, &"--epochs", &"3", &"--without", &"4"]);
    assert!(message.contains("--without 4") && message.contains("--without 3"), "{message}");
    let data = FIXTURE.data.path();
    let message = refused(&[&"train", &"--data", &"mnist", &"--data-dir", &data, &"--without", &"12"]);
    assert!(message.contains("--without 12") && message.contains("0, 1, 2"), "{message}");
}

/// The layer beside the encoder's last has a file of its own, which the network's own answers are made with.
#[test]
fn the_log_variances_of_drawn_codes_are_exported() {
    let folder = tempfile::tempdir().unwrap();
    let told = ok(&[&"export", &run("vae"), &"--out", &folder.path()]);
    let names = ["encoder", "decoder", "log_variance"];
    assert!(names.iter().all(|name| told.contains(&format!("{name}.safetensors"))), "{told}");
    let [encoder, _, beside] =
        names.map(|name| Part::read(&folder.path().join(format!("{name}.safetensors"))).unwrap());
    let keys = |(_, tensors): &(Part, State)| tensors.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&encoder), ["1.bias", "1.weight", "3.bias", "3.weight"]);
    assert_eq!(keys(&beside), ["bias", "weight"]);
    assert_eq!(beside.1["weight"].0, encoder.1["3.weight"].0);
    let means = encoder.0.modules.last().unwrap();
    assert_eq!((beside.0.modules.len(), &beside.0.modules[0]), (1, means), "it reads what the means' layer reads");
    let plain = ok(&[&"export", &run("plain"), &"--out", &folder.path().join("plain")]);
    assert!(!plain.contains("log_variance"), "{plain}");
}

#[test]
fn runs_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compare.png");
    let table = ok(&[&"compare", &run("vae"), &run("plain"), &"--out", &path]);
    for word in ["vae", "plain", "test elbo", "samples/s", "parameters"] {
        assert!(table.contains(word), "no {word} in\n{table}");
    }
    assert_eq!(size(&path), (1200, 750));
    let lines = ok(&[&"compare", &run("vae"), &run("plain"), &"--json", &"--out", &path]);
    let lines: Value = serde_json::from_str(&lines).unwrap();
    let hidden = 400 * (PIXELS + 1) + PIXELS * 401;
    assert_eq!(lines[0]["parameters"], hidden + 2 * 4 * 401 + 400 * 5);
    assert_eq!(
        (&lines[0]["epoch"], &lines[0]["code_width"], &lines[1]["code_width"]),
        (&3.into(), &4.into(), &20.into())
    );
    assert!(lines[0]["test_elbo"].as_f64().unwrap() < 0.0 && lines[1].get("test_elbo").is_none());
    ok(&[&"compare", &run("vae"), &"--metric", &"test_elbo", &"--quiet", &"--out", &path]);
    let message = refused(&[&"compare", &run("plain"), &"--metric", &"test_elbo", &"--out", &path]);
    assert!(message.contains("test_elbo") && message.contains("metrics.jsonl"), "{message}");
    assert!(refused(&[&"compare", &folder.path(), &"--out", &path]).contains("run directory"));
    // What has nothing to compare is left out, with a note, of what has: a run without the key, and what is no run.
    let [vae, plain] = ["vae", "plain"].map(run);
    let parts: [&dyn AsRef<Path>; 8] =
        [&"compare", &plain, &folder.path(), &vae, &"--metric", &"test_elbo", &"--out", &path];
    let words = words(&parts);
    let output = gpu_ae(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let [table, notes] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).to_string());
    assert!(output.status.success() && table.contains("vae") && table.lines().count() == 4, "{table}{notes}");
    let notes: Vec<&str> = notes.lines().filter(|line| line.starts_with("left out: ")).collect();
    assert!(notes.len() == 2 && notes[0].contains("run directory") && notes[1].contains("no test_elbo"), "{notes:?}");
}

#[test]
fn files_that_do_not_fit_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let [wide, bright, missing] = ["wide.npy", "bright.npy", "missing.npy"].map(|name| folder.path().join(name));
    write_rows(&wide, 5, &[0.0; 10]).unwrap();
    let message = refused(&[&"decode", &run("vae"), &wide]);
    assert!(message.contains("wide.npy") && message.contains("[2, 5]") && message.contains("[rows, 4]"), "{message}");
    assert!(refused(&[&"decode", &run("vae"), &missing]).contains("missing.npy"));
    write_rows(&bright, PIXELS, &vec![255.0; PIXELS]).unwrap();
    let message = refused(&[&"encode", &run("vae"), &"--input", &bright]);
    assert!(message.contains("bright.npy") && message.contains("0 to 1"), "{message}");
    let message = refused(&[&"score", &run("vae"), &"--normal", &"11"]);
    assert!(message.contains("--normal 11"), "{message}");
}
