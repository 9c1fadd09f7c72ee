//! Bad input: the right exit code, one message that names the culprit, nothing half-written, no panic.

use std::path::Path;
use std::process::{Output, Stdio};

use crate::program::{checkpoint, command, gpu_ae, small_mnist, train};

/// The program must have failed with this code and a message that has all these parts.
#[track_caller]
fn refused(output: &Output, code: i32, parts: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert!(!message.contains("panicked"), "{message}");
    for part in parts {
        assert!(message.contains(part), "'{part}' is not in: {message}");
    }
}

#[test]
fn numbers_without_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let cases = [
        ("--lr", "nan"),
        ("--lr", "0"),
        ("--lr", "inf"),
        ("--lr", "abc"),
        ("--epochs", "0"),
        ("--epochs", "x"),
        ("--batch-size", "0"),
        ("--batch-size", "99999999999"),
        ("--lambda-entropy", "nan"),
        ("--lambda-mse", "inf"),
        ("--data", "nothing"),
        ("--recipe", "nothing"),
        ("--model", "nothing"),
        ("--device", "no such adapter"),
        ("--device", "77"),
        ("--config", "/nowhere/at/all.toml"),
        ("--data-dir", "/nowhere/at/all"),
    ];
    for (flag, value) in cases {
        let mut arguments = vec!["train", "--out", out.to_str().unwrap(), flag, value];
        if flag == "--data-dir" {
            arguments.extend(["--data", "mnist"]);
        }
        let named = if value.starts_with('/') { value } else { flag };
        refused(&gpu_ae(&arguments), 2, &[named]);
        assert!(!out.exists(), "{flag} {value} left a run directory");
    }
    refused(&gpu_ae(&["train", "--lr=-1"]), 2, &["--lr"]);
    refused(&gpu_ae(&["train", "--lambda-entropy=-0.1"]), 2, &["--lambda-entropy"]);
    refused(&gpu_ae(&["train", "--lambda-entropy", "0", "--lambda-mse", "0"]), 2, &["--lambda-mse"]);
    for (command, flag, from) in [
        ("train", "--epochs", "from 1 to 4294967295"),
        ("train", "--batch-size", "from 1 to 1048576"),
        ("train", "--seed", "from 0 to 9223372036854775807"),
        ("cluster", "--epochs", "from 1"),
        ("cluster", "--clusters", "from 2 to 4096"),
        ("cluster", "--hidden", "from 1 to 65536"),
        ("sweep", "--seeds", "from 1"),
    ] {
        refused(&gpu_ae(&[command, flag, "ten"]), 2, &[flag, "expected a whole number", from]);
    }
    // A larger seed would train, and its configuration could not be read again.
    refused(&gpu_ae(&["train", "--seed", "9223372036854775808"]), 2, &["--seed", "9223372036854775807"]);
    let last = ["sweep", "--seed", "9223372036854775806", "--seeds", "3", "--out", out.to_str().unwrap()];
    refused(&gpu_ae(&last), 2, &["--seeds 3", "--seed 9223372036854775806"]);
    refused(&gpu_ae(&["data", "fetch", "imagenet"]), 2, &["data fetch 'imagenet'", "expected one of: mnist"]);
    refused(&gpu_ae(&["data", "fetch", "digits"]), 2, &["data fetch 'digits'", "built in"]);
    refused(&gpu_ae(&["train", "--no-such-flag"]), 2, &["--no-such-flag"]);
    refused(&gpu_ae(&[]), 2, &["Usage"]);
}

#[test]
fn folders_that_are_no_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    for path in [folder.path().join("missing"), file.clone(), empty] {
        let path = path.to_str().unwrap();
        for arguments in [&["eval", path][..], &["inspect", path], &["export", path], &["reconstruct", path]] {
            refused(&gpu_ae(arguments), 2, &[path]);
        }
        refused(&gpu_ae(&["train", "--resume", path]), 2, &[path]);
    }
    // Nothing is overwritten.
    let out = folder.path().to_str().unwrap();
    refused(&gpu_ae(&["train", "--out", out]), 2, &["--out", out]);
    assert_eq!(std::fs::read(&file).unwrap(), b"x");
    // A folder that cannot be made.
    let below = file.join("run");
    let data = small_mnist();
    refused(&train(data.path(), &below, &["--device", "cpu"]), 1, &[below.to_str().unwrap()]);
}

#[test]
fn configurations_with_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    let cases = [
        ("epochs = 2\nepoch = 3\n", "line 2"),
        ("epochs = \"many\"\n", "line 1"),
        ("epochs = 2\n\n[optimizer]\nclip = 1.0\n", "did you mean `optimiser`?"),
        (
            "[entropy]\nactivity = \"sideways\"\nalpha = 1.0\nbias_weight = 1.0\nlayers = [3]\nmaximise = false\n",
            "line 2",
        ),
        ("\nlr = -1.0\n", "line 2: lr -1"),
        ("[[encoder]]\nlinear = 5\nactivation = \"step\"\n", "line 3"),
        ("[[encoder]]\nwidth = 5\n", "line 2"),
        ("decoder = []\n", "line 1: decoder: expected at least one layer"),
        ("[[decoder]]\nlinear = 9\n\n[[decoder]]\nlinear = 0\n", "line 5: decoder.2.linear 0"),
        ("[[decoder]]\nactivation = \"sigmoid\"\nlinear = 783\n", "line 3: decoder.1.linear 783: expected 784"),
        ("[sparsity]\nkind = \"l1\"\nweight = 1.0\nlayers = [9]\n", "line 4: sparsity.layers 9"),
    ];
    for (text, named) in cases {
        std::fs::write(&path, text).unwrap();
        let out = folder.path().join("run");
        let output = gpu_ae(&["train", "--config", path.to_str().unwrap(), "--out", out.to_str().unwrap()]);
        refused(&output, 2, &["c.toml", named]);
        assert!(!out.exists());
    }
}

fn trained(data: &Path, run: &Path) {
    assert!(train(data, run, &["--epochs", "2", "--device", "cpu", "--quiet"]).status.success());
}

#[test]
fn damaged_checkpoints_name_the_one_before() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    trained(data.path(), &run);
    let good = std::fs::read(checkpoint(&run)).unwrap();
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let resume = ["train", "--resume", run.to_str().unwrap(), "--epochs", "2", "--device", "cpu"];
    let advice = ["checkpoint.safetensors", "checkpoint.prev.safetensors", "--from-previous"];
    for bad in [&flipped[..], &good[..good.len() / 2], &[]] {
        std::fs::write(checkpoint(&run), bad).unwrap();
        refused(&gpu_ae(&resume), 2, &advice);
        refused(&gpu_ae(&["eval", run.to_str().unwrap()]), 2, &advice);
    }
    std::fs::remove_file(checkpoint(&run)).unwrap();
    refused(&gpu_ae(&resume), 2, &advice);
    let again = gpu_ae(&[&resume[..], &["--from-previous"]].concat());
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(std::fs::read(checkpoint(&run)).unwrap(), good, "the repeated epoch gave other bits");
}

#[test]
fn resuming_with_contradictions() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    trained(data.path(), &run);
    let run = run.to_str().unwrap();
    for (flag, value) in [("--seed", "3"), ("--batch-size", "64"), ("--data", "digits"), ("--out", "elsewhere")] {
        refused(&gpu_ae(&["train", "--resume", run, flag, value]), 2, &[flag]);
    }
    let digits = gpu_ae(&["eval", run, "--data", "nothing"]);
    refused(&digits, 2, &["nothing", "digits", "mnist"]);
}

#[test]
fn a_loss_that_is_not_finite_stops_before_the_parameters() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = train(data.path(), &run, &["--epochs", "3", "--device", "cpu", "--lr", "1e38", "--quiet"]);
    refused(&output, 1, &["step ", "term of the loss is not finite", "checkpoint.safetensors", "step 0"]);
    assert!(gpu_ae(&["inspect", run.to_str().unwrap()]).status.success(), "the good checkpoint is unusable");
}

#[test]
fn truncated_data_is_named() {
    let data = small_mnist();
    let images = data.path().join("mnist/train-images-idx3-ubyte");
    let bytes = std::fs::read(&images).unwrap();
    std::fs::write(&images, &bytes[..bytes.len() - 1]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    refused(&train(data.path(), &run, &["--device", "cpu"]), 2, &["train-images-idx3-ubyte", "expected"]);
    assert!(!run.exists());
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let mut child = command(&["plan"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
}

/// What a stranger wrote into a file, its name or an argument is shown or left out, not obeyed.
#[test]
fn a_terminal_obeys_no_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(if cfg!(unix) { "c\u{1b}[31m.toml" } else { "c.toml" });
    std::fs::write(&path, "model = \"\\u001b]0;owned\\u0007\"\n").unwrap();
    let file = gpu_ae(&["config", "check", path.to_str().unwrap()]);
    refused(&file, 2, &["\\u001b]0;owned\\u0007", if cfg!(unix) { "c\\u001b[31m.toml: " } else { "c.toml: " }]);
    let flag = gpu_ae(&["train", "--epochs", "\u{1b}[2J"]);
    refused(&flag, 2, &["--epochs"]);
    let data = gpu_ae(&["train", "--data", "\u{9b}2J"]);
    refused(&data, 2, &["\\u009b2J"]);
    for output in [file, flag, data] {
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!message.contains(|c: char| c.is_control() && c != '\n'), "{message:?}");
        assert!(message.ends_with('\n'), "{message:?}");
    }
}

#[test]
fn threads_that_there_are_not() {
    let mut many = command(&["data", "list"]);
    refused(&many.env("RAYON_NUM_THREADS", "100000").output().unwrap(), 2, &["RAYON_NUM_THREADS=100000", "1 to 1024"]);
    // No thread gets a stack of 2⁶⁰ bytes: one thread does everything then.
    if cfg!(target_os = "linux") {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        let run = ["train", "--model", "nmn", "--epochs", "1", "--device", "cpu", "--out", out.to_str().unwrap()];
        let output = command(&run).env("RUST_MIN_STACK", (1u64 << 60).to_string()).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && message.contains("working on 1 thread: "), "{message}");
    }
}

#[test]
fn a_step_that_does_not_fit_says_what_it_needs_and_which_batch_would() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let arguments = ["train", "--model", "resnet18", "--data", "digits", "--device", "cpu", "--batch-size", "60000"];
    let output = gpu_ae(&[&arguments[..], &["--out", out.to_str().unwrap()]].concat());
    refused(&output, 1, &["--batch-size 60000", "MB", "a step of --batch-size", "would fit"]);
    assert!(!out.exists(), "it left a run directory");
}
