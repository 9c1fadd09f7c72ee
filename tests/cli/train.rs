//! `gpu-ae train` and what uses a trained run, driven as a process.

use std::collections::BTreeSet;
use std::path::Path;

use crate::program::{checkpoint, small_mnist, succeed, train};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::train::record::export::Part;
use serde_json::Value;

fn names(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

fn metrics(run: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn tensors(path: &Path) -> Vec<(String, Vec<usize>, Vec<u8>)> {
    let bytes = std::fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut all: Vec<_> = file.tensors().into_iter().map(|(n, v)| (n, v.shape().to_vec(), v.data().to_vec())).collect();
    all.sort();
    all
}

#[test]
fn a_run_leaves_what_it_promises_and_every_command_uses_it() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = train(data.path(), &run, &["--epochs", "3", "--device", "cpu"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines.lines().filter(|line| line.starts_with("epoch ")).count(), 3, "{lines}");

    let promised = [
        ".lock",
        "checkpoint.prev.safetensors",
        "checkpoint.safetensors",
        "codes.png",
        "config.toml",
        "features.png",
        "loss.png",
        "metrics.jsonl",
        "reconstructions.png",
        "report.html",
        "weights.png",
        "widths.png",
    ];
    assert_eq!(names(&run), promised.iter().map(ToString::to_string).collect());
    let lines = metrics(&run);
    assert_eq!(lines.len(), 3);
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(line["epoch"], number + 1);
        assert_eq!(line["step"], 3 * (number + 1), "two full batches and a partial one");
        for part in ["train", "test"] {
            let [loss, mse, entropy] =
                ["loss", "mse", "entropy"].map(|term| line[format!("{part}_{term}")].as_f64().unwrap());
            let weight = line["entropy_weight"].as_f64().unwrap();
            assert!((loss - (mse + weight * entropy)).abs() < 1e-6, "{line}");
        }
        assert!(line["samples_per_second"].as_f64().unwrap() > 0.0 && line["seconds"].as_f64().unwrap() > 0.0);
    }
    assert!(lines[2]["test_mse"].as_f64() < lines[0]["test_mse"].as_f64(), "nothing was learnt");
    for picture in ["loss.png", "reconstructions.png"] {
        let picture = image::open(run.join(picture)).unwrap().to_rgb8();
        assert!(picture.pixels().map(|pixel| pixel.0).collect::<BTreeSet<_>>().len() > 10, "a blank picture");
    }

    let run = run.to_str().unwrap();
    let evaluation: Value = serde_json::from_str(&succeed(&["eval", run, "--json"])).unwrap();
    let difference = evaluation["test_mse"].as_f64().unwrap() - lines[2]["test_mse"].as_f64().unwrap();
    assert!(difference.abs() < 1e-9, "eval and metrics differ by {difference}");
    assert!(succeed(&["eval", run]).contains("mse"));
    assert!(succeed(&["reconstruct", run, "--images", "20"]).contains("reconstructions-mnist.png"));
    let layers: Value = serde_json::from_str(&succeed(&["inspect", run, "--json"])).unwrap();
    assert_eq!(layers.as_array().unwrap().len(), 6);
    let width = layers[2]["width_in"].as_f64().unwrap();
    assert!((1.0..=20.0).contains(&width), "width {width} of 20 neurons");
    assert_eq!(layers[2]["linked"], 20, "three epochs of nine steps kill no neuron");
    // What metrics have under the same name is the same.
    for (number, layer) in layers.as_array().unwrap()[..5].iter().enumerate() {
        let [active, width] =
            ["active_units", "effective_width"].map(|name| &lines[2][format!("{name}_{}", number + 1)]);
        assert_eq!(&layer["active_units"], active);
        let other = layer["effective_width"].as_f64().unwrap();
        assert!((other - width.as_f64().unwrap()).abs() < 1e-4 * other, "{layer}, {width} in metrics");
    }
    let table = succeed(&["inspect", run]);
    // Headings, a rule, six layers, and two lines of the last one's singular values.
    assert_eq!(table.lines().count(), 10);
    assert!(table.contains("last layer: effective rank"), "{table}");
    // A heading over every column: two spaces and more lie between them.
    let columns = |line: &str| line.split("  ").filter(|cell| !cell.trim().is_empty()).count();
    let [headings, rule, row] = [0, 1, 2].map(|line| columns(table.lines().nth(line).unwrap()));
    assert!(headings == rule && headings == row, "{table}");
    export(Path::new(run));
}

fn export(run: &Path) {
    succeed(&["export", run.to_str().unwrap()]);
    let trained = tensors(&checkpoint(run));
    let find = |name: &str| trained.iter().find(|(n, ..)| n == name).unwrap_or_else(|| panic!("no {name}"));
    let shapes = [[64, 784], [20, 64], [20, 20], [20, 20], [64, 20], [784, 64]];
    for (file, first, keys) in [("encoder", 0, [1, 3, 5]), ("decoder", 3, [0, 2, 4])] {
        let exported = tensors(&run.join(format!("{file}.safetensors")));
        let expected: Vec<String> = keys.iter().flat_map(|k| [format!("{k}.bias"), format!("{k}.weight")]).collect();
        assert_eq!(exported.iter().map(|(n, ..)| n.clone()).collect::<Vec<_>>(), expected);
        for (layer, key) in keys.iter().enumerate() {
            let weight = exported.iter().find(|(n, ..)| *n == format!("{key}.weight")).unwrap();
            assert_eq!(weight.1, shapes[first + layer]);
            assert_eq!(weight.2, find(&format!("autoencoder.{}.weight", 2 * (first + layer) + 1)).2);
        }
        // What it is stands beside it, and a changed byte is noticed.
        let path = run.join(format!("{file}.safetensors"));
        let (part, _) = Part::read(&path).unwrap();
        assert_eq!((&part.part[..], part.features, &part.values[..]), (file, 784, "bytes / 255"));
        let places: Vec<(usize, [usize; 2])> =
            part.modules.iter().map(|module| (module.place, [module.outputs[0], module.inputs[0]])).collect();
        assert_eq!(places, (0..3).map(|layer| (keys[layer], shapes[first + layer])).collect::<Vec<_>>());
        let last = part.modules[2].block.as_linear().unwrap().activation;
        assert_eq!(last, if file == "encoder" { Activation::Relu } else { Activation::Sigmoid });
        let mut bytes = std::fs::read(&path).unwrap();
        let place = bytes.len() - 1;
        bytes[place] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let message = Part::read(&path).unwrap_err().to_string();
        assert!(message.contains(&format!("{file}.safetensors")) && message.contains("hash"), "{message}");
    }
}

#[test]
fn quiet_says_nothing_and_json_says_one_object() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let quiet = train(data.path(), &folder.path().join("a"), &["--epochs", "1", "--device", "cpu", "--quiet"]);
    assert!(quiet.status.success() && quiet.stdout.is_empty() && quiet.stderr.is_empty());
    let json = train(data.path(), &folder.path().join("b"), &["--epochs", "1", "--device", "cpu", "--json"]);
    let text = String::from_utf8(json.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    let object: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(object["epoch"], 1);
}

#[test]
fn flags_win_over_a_file_and_a_saved_configuration_repeats_its_run() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let [first, second, third, fourth] = ["1", "2", "3", "4"].map(|name| folder.path().join(name));
    let flags = ["--epochs", "1", "--device", "cpu", "--seed", "7", "--batch-size", "32", "--lr", "0.002"];
    assert!(train(data.path(), &first, &flags).status.success());
    let config = first.join("config.toml");
    let config = config.to_str().unwrap();
    assert!(train(data.path(), &second, &["--config", config]).status.success());
    let bytes = |run: &Path| std::fs::read(checkpoint(run)).unwrap();
    assert_eq!(bytes(&first), bytes(&second), "the same configuration gave other bits");
    assert!(train(data.path(), &third, &["--config", config, "--seed", "8"]).status.success());
    assert_ne!(tensors(&checkpoint(&first)), tensors(&checkpoint(&third)), "the seed changed nothing");
    assert!(train(data.path(), &fourth, &["--config", config, "--recipe", "report"]).status.success());
    assert_eq!(bytes(&first), bytes(&fourth), "a recipe won over a file");
}

#[test]
fn the_entropy_drives_its_own_value_down_and_up() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let entropy = |name: &str, key: &str| {
        let run = folder.path().join(name);
        let flags = ["--recipe", "report", "--epochs", "4", "--device", "cpu", "--set", key];
        let output = train(data.path(), &run, &flags);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        metrics(&run).last().unwrap()["test_entropy"].as_f64()
    };
    let [down, idle, up] = [
        entropy("down", "lambda_entropy=0.3"),
        entropy("idle", "lambda_entropy=1e-9"),
        entropy("up", "entropy.maximise=true"),
    ]
    .map(Option::unwrap);
    assert!(down < idle - 1e-4 && up > idle + 1e-4, "{down} {idle} {up}");
    // What has no weight is not there, and nothing says so much as its name.
    assert_eq!(entropy("none", "lambda_entropy=0"), None);
    let [metrics, config] = ["metrics.jsonl", "config.toml"]
        .map(|file| std::fs::read_to_string(folder.path().join("none").join(file)).unwrap());
    assert!(!metrics.contains("train_entropy"), "{metrics}");
    // But that there is none has to be said where the recipe would have one.
    assert!(config.contains("lambda_entropy = 0.0\n") && !config.contains("[entropy]"), "{config}");
}

#[test]
fn the_plan_meets_its_budget_and_its_shaders_parse() {
    let folder = tempfile::tempdir().unwrap();
    let shaders = folder.path().join("shaders");
    let plan = succeed(&["plan", "--for", "discrete", "--dump-shaders", shaders.to_str().unwrap()]);
    let dispatches: usize = plan.split_whitespace().nth(2).unwrap().parse().unwrap();
    assert!((10..=36).contains(&dispatches), "{dispatches} dispatches at batch 128");
    let files: Vec<_> = std::fs::read_dir(&shaders).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(files.len() >= 10, "{files:?}");
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        naga::front::wgsl::parse_str(&source).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    }
}

#[test]
fn the_doctor_finds_the_cpu_device_well() {
    let report: Value = serde_json::from_str(&succeed(&["doctor", "--device", "cpu", "--json"])).unwrap();
    assert_eq!(report["failed"], 0);
    let rows = report["kernels"].as_array().unwrap();
    assert_eq!(rows.len(), gpu_ae::ops::KERNELS.len());
    let result = |kernel: &str| &rows.iter().find(|row| row["kernel"] == kernel).unwrap()["result"];
    assert_eq!((result("matmul_nt"), result("clock_advance")), (&"pass".into(), &"twin".into()));
}

#[test]
fn help_and_lists_are_there() {
    assert!(succeed(&["--version"]).starts_with("gpu-ae "));
    assert!(succeed(&["devices"]).contains("CPU device"));
    assert!(succeed(&["devices", "--json"]).starts_with('['));
    assert!(succeed(&["data", "list"]).contains("mnist"));
    for command in ["train", "eval", "reconstruct", "export", "inspect", "plan", "devices", "doctor", "data"] {
        assert!(succeed(&[command, "--help"]).contains("Usage: gpu-ae"), "{command}");
    }
    let train = succeed(&["train", "--help"]);
    let flags = "data data-dir device out quiet json seed epochs batch-size lr lambda-mse lambda-entropy recipe model \
                 config resume";
    for flag in flags.split_whitespace() {
        assert!(train.contains(&format!("--{flag}")), "{flag}");
    }
    let words: Vec<_> = train.split([' ', '\n', ',']).collect();
    for model in gpu_ae::config::MODELS {
        assert!(words.contains(model), "the help of --model leaves out {model}");
    }
}
