//! Studies on the command line: every point and seed once, whatever is interrupted.

use std::path::Path;
#[cfg(unix)]
use std::process::{Command, Stdio};
#[cfg(unix)]
use std::time::{Duration, Instant};

use crate::program::{gpu_ae, small_mnist, succeed};
use serde_json::Value;

fn sweep(data: &Path, out: &Path, grid: &str, more: &[&str]) -> String {
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let fixed = ["sweep", "--data", "mnist", "--data-dir", data, "--device", "cpu", "--epochs", "2", "--grid", grid];
    succeed(&[&fixed[..], &["--batch-size", "32", "--out", out], more].concat())
}

fn table(study: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(study.join("sweep.csv")).unwrap();
    text.lines().map(|line| line.split(',').map(str::to_string).collect()).collect()
}

#[test]
fn a_study_has_every_point_and_seed_and_goes_on_where_it_stopped() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("study");
    let text = sweep(data.path(), &study, "alpha=0.5,2 width=8", &["--recipe", "report", "--seeds", "2"]);
    assert!(text.contains("alpha=0.5 width=8") && text.contains(" of 2"), "{text}");
    let rows = table(&study);
    assert_eq!(rows.len(), 5);
    let points: Vec<[&str; 2]> = rows[1..].iter().map(|row| [row[0].as_str(), row[1].as_str()]).collect();
    let [half, two] = ["alpha=0.5 width=8", "alpha=2 width=8"];
    assert_eq!(points, [[half, "0"], [half, "1"], [two, "0"], [two, "1"]]);
    assert!(study.join("sweep.png").exists());
    let run = study.join("alpha-2-width-8").join("seed-1");
    let config = std::fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("alpha = 2.0") && config.contains("seed = 1") && config.contains("linear = 8"), "{config}");

    // The last run lost its line, the one before it was stopped after its first epoch.
    let text = std::fs::read_to_string(study.join("sweep.csv")).unwrap();
    let kept: Vec<&str> = text.lines().take(3).collect();
    std::fs::write(study.join("sweep.csv"), kept.join("\n") + "\n").unwrap();
    let broken = study.join("alpha-2-width-8").join("seed-0");
    std::fs::rename(broken.join("checkpoint.prev.safetensors"), broken.join("checkpoint.safetensors")).unwrap();
    std::fs::remove_dir_all(&run).unwrap();
    succeed(&["sweep", "--resume", study.to_str().unwrap(), "--quiet"]);
    assert_eq!(table(&study), rows, "a study that was interrupted came out differently");

    let other = folder.path().join("other");
    let against = study.to_str().unwrap();
    let more = ["--recipe", "plain", "--seeds", "1", "--against", against];
    let text = sweep(data.path(), &other, "", &more);
    assert!(text.contains("as it is") && text.contains(half), "{text}");
    let json = sweep(data.path(), &folder.path().join("json"), "", &["--seeds", "1", "--json"]);
    let outcomes: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(outcomes.as_array().unwrap().len(), 1);
    assert!(outcomes[0]["test_mse"].as_f64().unwrap() > 0.0);
}

/// A job array trains what one process would, run for run; nothing of it is taken for whole before it is.
#[test]
fn shards_of_a_study_make_the_table_of_one_process() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let [one, several] = ["one", "several"].map(|name| folder.path().join(name));
    let (grid, more) = ("alpha=0.5,2 width=8,9", ["--recipe", "report", "--seeds", "2"]);
    sweep(data.path(), &one, grid, &more);
    let shard = |out: &Path, shard: &str| sweep(data.path(), out, grid, &[&more[..], &["--shard", shard]].concat());
    let text = shard(&several, "2/3");
    assert!(text.contains("sweep --merge"), "{text}");
    let path = several.to_str().unwrap();
    let refused = |arguments: &[&str]| {
        let output = gpu_ae(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).to_string()
    };
    let message = refused(&["sweep", "--merge", path]);
    let expected = "shard 1/3 has not trained alpha=0.5 width=8 seed 0; 'gpu-ae sweep --resume ";
    assert!(message.contains(expected) && message.contains("--shard 1/3'"), "{message}");
    let other = ["sweep", "--device", "cpu", "--grid", "alpha=7", "--out", path, "--shard", "1/3"];
    assert!(refused(&other).contains("is of another study"), "a shard of another study got in");
    shard(&several, "1/3");
    // The last one begins, is stopped with its first run alone, and goes on.
    shard(&several, "3/3");
    let kept = several.join("shards").join("3-of-3").join("sweep.csv");
    let text = std::fs::read_to_string(&kept).unwrap();
    std::fs::write(&kept, text.lines().take(2).collect::<Vec<_>>().join("\n") + "\n").unwrap();
    assert!(refused(&["sweep", "--merge", path]).contains("shard 3/3 has not trained"));
    succeed(&["sweep", "--resume", path, "--shard", "3/3", "--quiet"]);
    let text = succeed(&["sweep", "--merge", path]);
    assert!(text.contains("alpha=2 width=9"), "{text}");
    let tables = [&one, &several].map(|study| std::fs::read(study.join("sweep.csv")).unwrap());
    assert!(tables[0] == tables[1], "the table is another one");
    assert!(several.join("sweep.png").exists() && several.join("report.html").exists());
    for (flags, named) in [
        (["--shard", "4/3"], "--shard"),
        (["--shard", "0/3"], "such as 3/8"),
        (["--merge", one.to_str().unwrap()], "expected a study that 'gpu-ae sweep --shard' has trained"),
    ] {
        let message = refused(&[&["sweep"][..], &flags].concat());
        assert!(message.contains(named), "{message}");
    }
}

/// A task of a job array that runs out of time says how its shard, and no other, goes on.
#[cfg(unix)]
#[test]
fn an_interrupted_shard_says_how_it_alone_goes_on() {
    let (data, folder) = (small_mnist(), tempfile::tempdir().unwrap());
    let study = folder.path().join("study");
    let [from, out] = [data.path(), &study].map(|path| path.to_str().unwrap());
    // Long epochs, so that the signal comes within one.
    let long = ["--data", "mnist", "--data-dir", from, "--device", "cpu", "--batch-size", "1", "--epochs", "40"];
    let shard = ["--recipe", "report", "--grid", "alpha=0.5", "--seeds", "2", "--shard", "2/2", "--out", out];
    let arguments = [&["sweep"][..], &long, &shard].concat();
    let child = crate::program::command(&arguments).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let (begin, checkpoint) = (Instant::now(), study.join("alpha-0.5").join("seed-1").join("checkpoint.safetensors"));
    while !checkpoint.exists() {
        assert!(begin.elapsed() < Duration::from_secs(60), "no run");
        std::thread::sleep(Duration::from_millis(1));
    }
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).to_string();
    assert_eq!(output.status.code(), Some(143), "{said}");
    assert!(said.contains(&format!("gpu-ae sweep --resume {out} --shard 2/2")), "{said}");
}

/// Processes that know nothing of one another would write over one another.
#[test]
fn a_launch_by_mpi_is_refused_where_the_program_knows_none() {
    if cfg!(feature = "mpi") {
        return;
    }
    for command in ["train", "sweep", "cluster"] {
        let output = crate::program::command(&[command]).env("OMPI_COMM_WORLD_SIZE", "4").output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.code() == Some(2) && message.contains("started 4 times"), "{command}: {message}");
        assert!(message.contains("--features mpi"), "{message}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("study");
    let cases = [
        (["--grid", "alpah=1"], "alpah"),
        (["--grid", "alpha"], "--grid 'alpha'"),
        (["--grid", "alpha=1,-1"], "alpha=-1"),
        (["--seeds", "0"], "--seeds"),
        (["--grid", "seed=1,2"], "--grid seed"),
        (["--against", "nowhere"], "nowhere"),
    ];
    for (flags, named) in cases {
        let output = gpu_ae(&[&["sweep", "--out", out.to_str().unwrap()][..], &flags].concat());
        let message = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.code() == Some(2) && message.contains(named), "{flags:?}: {message}");
        assert!(!out.exists(), "{flags:?} left something behind");
    }
}

/// Networks that code pictures are measured beside other coders.
#[test]
fn a_study_of_a_codec_draws_rate_and_distortion() {
    let folder = tempfile::tempdir().unwrap();
    let [photos, study] = ["photos", "study"].map(|name| folder.path().join(name));
    std::fs::create_dir(&photos).unwrap();
    for number in 0..40 {
        let shade = |x: u32, y: u32| image::Rgb([(x * 9 + number * 5) as u8, (y * 7) as u8, (x * y + number) as u8]);
        image::RgbImage::from_fn(16, 24, shade).save(photos.join(format!("{number}.png"))).unwrap();
    }
    let [data, out] = [&photos, &study].map(|path| path.to_str().unwrap());
    let fixed = ["sweep", "--model", "codec", "--data", data, "--out", out, "--device", "cpu", "--epochs", "1"];
    let text = succeed(&[&fixed[..], &["--seeds", "1", "--grid", "rate.beta=0.1,3"]].concat());
    assert!(text.contains("rate_distortion.csv") && study.join("rate_distortion.png").exists(), "{text}");
    let file = std::fs::read_to_string(study.join("rate_distortion.csv")).unwrap();
    let mut lines = file.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let columns = ["coder", "point", "seed", "images", "bits_per_pixel", "bits_per_pixel_by_tables", "psnr", "ms_ssim"];
    assert_eq!(lines.next().unwrap(), columns);
    let rows: Vec<Vec<&str>> = lines.collect();
    let of = |coder: &str| rows.iter().filter(|row| row[0] == coder).cloned().collect::<Vec<_>>();
    let number = |row: &[&str], column: usize| row[column].parse::<f64>().unwrap();
    let (networks, jpeg) = (of("network"), of("JPEG"));
    assert_eq!((networks.len(), of("WebP").len()), (2, 1));
    assert!(jpeg.len() > 8 && jpeg.is_sorted_by(|a, b| number(a, 4) <= number(b, 4)), "{file}");
    assert!(number(jpeg.last().unwrap(), 6) > number(&jpeg[0], 6) + 10.0, "{file}");
    for (row, beta) in networks.iter().zip(["0.1", "3"]) {
        assert_eq!([row[1], row[2]], [&format!("rate.beta={beta}"), "0"]);
        // What the file has beside its streams is little of it; eval says the same as its tables.
        let (images, bits, by_tables) = (number(row, 3), number(row, 4), number(row, 5));
        assert!(bits > by_tables && bits < 1.02 * by_tables + 8.0 * 100.0 / (images * 384.0), "{row:?}");
        let run = study.join(format!("rate.beta-{beta}")).join("seed-0");
        let told = succeed(&["eval", run.to_str().unwrap(), "--device", "cpu", "--json"]);
        let told: Value = serde_json::from_str(&told).unwrap();
        let estimated = told["test_bits_per_pixel"].as_f64().unwrap();
        assert!((by_tables - estimated).abs() <= 0.02 * estimated + 1e-3, "{by_tables} {estimated}");
        assert!((number(row, 6) - told["test_psnr"].as_f64().unwrap()).abs() < 0.5, "{row:?} {told}");
        assert!((0.0..=1.0).contains(&number(row, 7)));
    }
}
