//! What README and docs show: every command of their code blocks is given to the program, in the order of its page, and
//! every configuration to `config check`.
//!
//! A command is run as it stands, on a small data set and for one epoch, if it leaves what a later one of the page uses.
//! Any other that trains is told to do so in a folder that is not free: it then reads its flags, resolves the configuration,
//! and refuses the folder before it touches data. [`UNLIKE`] has what cannot run here, and why.

use std::path::Path;
use std::process::Output;

use crate::program::{command, small_mnist};

/// How a command begins that cannot run in a test, what it is given in place of what makes it so, the word that the error
/// must have, and the reason.
const UNLIKE: &[(&[&str], &[&str], &str, &str)] = &[
    (
        &["data", "fetch"],
        &["--mirror", "http://127.0.0.1:9", "--data-dir", "fetched"],
        "could not be fetched",
        "there need not be a network",
    ),
    (
        &["doctor"],
        &["--device", "no such adapter"],
        "no such adapter",
        "it takes minutes, and tests/kernels does the same",
    ),
];

/// Code blocks of a page, each with the number of its first line: between fences, or four spaces to the right.
fn blocks(page: &str) -> Vec<(usize, Vec<&str>)> {
    let (mut blocks, mut fenced): (Vec<(usize, Vec<&str>)>, bool) = (Vec::new(), false);
    let mut open = false;
    for (index, line) in page.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            (fenced, open) = (!fenced, false);
        } else if fenced || line.starts_with("    ") {
            if !open {
                blocks.push((index + 1, Vec::new()));
            }
            open = true;
            blocks.last_mut().unwrap().1.push(line.trim());
        } else if !line.is_empty() {
            open = false;
        } else if let Some((_, lines)) = blocks.last_mut().filter(|_| open) {
            lines.push("");
        }
    }
    blocks
}

/// The commands of a block, each with the file its output goes to: lines that end with a backslash go on, a semicolon
/// ends one, a comment is none.
fn commands(lines: &[&str]) -> Vec<(Vec<String>, Option<String>)> {
    let text = lines.join("\n").replace("\\\n", " ");
    let lines = text.lines().map(|line| line.split(" #").next().unwrap());
    let lines = lines.flat_map(|line| line.split("; ")).map(|line| line.trim().trim_start_matches("target/release/"));
    let ours = lines.filter_map(|line| line.strip_prefix("gpu-ae "));
    let read = |line: &str| {
        let (line, file) = line.split_once(" > ").map_or((line, None), |(line, file)| (line, Some(file.trim().into())));
        let mut words = Vec::new();
        for (index, part) in line.split('\'').enumerate() {
            // Every other part is quoted.
            match index % 2 {
                0 => words.extend(part.split_whitespace().map(str::to_string)),
                _ => words.push(part.to_string()),
            }
        }
        (words, file)
    };
    ours.map(read).collect()
}

fn is_configuration(lines: &[&str]) -> bool {
    let first = lines.iter().find(|line| !line.is_empty()).unwrap_or(&"");
    let is_key = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    first.starts_with('[') || first.split_once(" = ").is_some_and(|(name, _)| is_key(name))
}

/// Value of a flag.
fn value<'a>(words: &'a [String], flag: &str) -> Option<&'a str> {
    words.iter().position(|word| word == flag).and_then(|place| words.get(place + 1)).map(String::as_str)
}

/// Gives a flag another value, or puts it there.
fn replace(words: &mut Vec<String>, flag: &str, value: &str) {
    match words.iter().position(|word| word == flag) {
        Some(place) => words[place + 1] = value.into(),
        None => words.extend([flag.to_string(), value.to_string()]),
    }
}

/// A page of the documents in a folder of its own.
struct Page<'a> {
    name: &'a str,
    data: &'a Path,
    folder: tempfile::TempDir,
    /// What the program was given, for a look at how much that is.
    given: usize,
}

impl Page<'_> {
    fn run(&self, words: &[String]) -> Output {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        command(&words).current_dir(self.folder.path()).env("GPU_AE_DATA", self.data).output().unwrap()
    }

    /// Gives one command to the program; `later` is what comes behind it on the page.
    #[track_caller]
    fn give(&mut self, line: usize, mut words: Vec<String>, file: Option<String>, later: &str) {
        let shown = format!("{}, line {line}: gpu-ae {}", self.name, words.join(" "));
        self.given += 1;
        if let Some((_, instead, named, _)) =
            UNLIKE.iter().find(|(begin, ..)| words.iter().take(begin.len()).eq(*begin))
        {
            for pair in instead.chunks_exact(2) {
                replace(&mut words, pair[0], pair[1]);
            }
            let output = self.run(&words);
            let message = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && message.contains(named), "{shown}: {message}");
            return;
        }
        // A run without a name is the one that the page calls NAME.
        let trains = ["train", "cluster", "sweep"].contains(&words[0].as_str());
        let resumes = value(&words, "--resume").is_some();
        if trains && !resumes {
            let new = !self.folder.path().join("runs/NAME").exists() && words[0] != "sweep";
            let out = value(&words, "--out").or(new.then_some("runs/NAME")).filter(|out| later.contains(out));
            let Some(out) = out.map(str::to_string) else {
                replace(&mut words, "--out", ".");
                let output = self.run(&words);
                let message = String::from_utf8_lossy(&output.stderr);
                let refused = message.contains("error: .: exists and is not an empty folder");
                assert!(output.status.code() == Some(2) && refused, "{shown}: {message}");
                return;
            };
            replace(&mut words, "--out", &out);
            replace(&mut words, "--epochs", "1");
            replace(&mut words, "--device", "cpu");
            if value(&words, "--data").is_none() && value(&words, "--from").is_none() {
                replace(&mut words, "--data", "mnist");
            }
        }
        if resumes {
            replace(&mut words, "--epochs", "2");
        }
        if words[0] == "sweep" {
            // A point and a seed of it.
            let grid = value(&words, "--grid").unwrap().to_string();
            let first: Vec<&str> = grid.split_whitespace().map(|key| key.split(',').next().unwrap()).collect();
            replace(&mut words, "--grid", &first.join(" "));
            replace(&mut words, "--seeds", "1");
        }
        // A chain of two Gibbs steps is one as well.
        if words[0] == "generate" && value(&words, "--steps").is_some() {
            replace(&mut words, "--steps", "2");
        }
        if words[0] == "compact" {
            let _ = std::fs::remove_dir_all(self.folder.path().join(&words[1]).join("compact"));
        }
        // A shell puts the runs that there are in place of a star.
        if let Some(place) = words.iter().position(|word| word == "runs/*") {
            let runs = std::fs::read_dir(self.folder.path().join("runs")).unwrap();
            let mut runs: Vec<String> = runs.map(|run| run.unwrap().file_name().into_string().unwrap()).collect();
            runs.sort();
            words.splice(place..=place, runs.into_iter().map(|run| format!("runs/{run}")));
        }
        let output = self.run(&words);
        assert!(output.status.success(), "{shown}: {}", String::from_utf8_lossy(&output.stderr));
        if let Some(file) = file {
            std::fs::write(self.folder.path().join(file), &output.stdout).unwrap();
        }
    }
}

/// The data of one's own that pages speak of: folders of images, sub-folders being classes, and a table.
fn own_data(folder: &Path) {
    for (name, count) in [("photos", 12), ("pets", 12), ("new-photos", 4)] {
        for (class, colour) in [("cats", [200, 90, 40]), ("dogs", [40, 90, 200])] {
            let place = folder.join(name).join(class);
            std::fs::create_dir_all(&place).unwrap();
            for number in 0..count {
                let shade = |x: u32, y: u32| image::Rgb(colour.map(|c: u8| c.wrapping_add((x * y + 7 * number) as u8)));
                let image = image::RgbImage::from_fn(40 + number, 36, shade);
                image.save(place.join(format!("{number:02}.png"))).unwrap();
            }
        }
    }
    let rows = (0..60).map(|row| {
        let (species, height) = if row % 3 == 0 { ("rose", 30) } else { ("iris", 50) };
        format!("f{row},{}.5,{},{species}\n", height + row % 7, row % 5)
    });
    let table = format!("name,height,leaves,species\n{}", rows.collect::<String>());
    std::fs::write(folder.join("flowers.csv"), table).unwrap();
}

/// Gives the program all that a page shows; returns how much that was.
fn follow(path: &Path, data: &Path) -> usize {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_str().unwrap();
    let mut page = Page { name, data, folder: tempfile::tempdir().unwrap(), given: 0 };
    own_data(page.folder.path());
    // So that the folder is not free.
    std::fs::write(page.folder.path().join("taken"), "").unwrap();
    let blocks = blocks(&text);
    let of_blocks: Vec<_> = blocks.iter().map(|(_, lines)| commands(lines)).collect();
    let flat: Vec<String> = of_blocks.iter().flatten().map(|(words, _)| words.join(" ")).collect();
    let mut done = 0;
    for ((line, lines), commands) in blocks.iter().zip(of_blocks) {
        if is_configuration(lines) {
            let file = format!("line-{line}.toml");
            std::fs::write(page.folder.path().join(&file), lines.join("\n")).unwrap();
            let output = page.run(&["config".into(), "check".into(), file]);
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            page.given += 1;
        }
        for (words, file) in commands {
            done += 1;
            page.give(*line, words, file, &flat[done..].join("\n"));
        }
    }
    page.given
}

/// All pages below a folder, itself included if it is one.
fn pages(path: &Path, found: &mut Vec<std::path::PathBuf>) {
    if path.is_dir() {
        std::fs::read_dir(path).unwrap().for_each(|entry| pages(&entry.unwrap().path(), found));
    } else if path.extension().is_some_and(|extension| extension == "md") {
        found.push(path.to_path_buf());
    }
}

#[test]
fn what_the_readme_shows_runs() {
    let data = small_mnist();
    let given = follow(&Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"), data.path());
    assert!(given >= 12, "only {given} commands were found");
}

#[test]
fn what_the_docs_show_runs() {
    let data = small_mnist();
    let mut found = Vec::new();
    pages(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs"), &mut found);
    let given: usize = found.iter().map(|page| follow(page, data.path())).sum();
    assert!(given >= 45, "only {given} commands and configurations were found");
}
