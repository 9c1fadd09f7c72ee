//! The house rules that a compiler does not check. The tables are the rules; what follows reads files.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use gpu_ae::ops::KERNELS;
use gpu_ae::shader::{KERNEL_SOURCES, SNIPPET_SOURCES, Source};

/// What every module may import. These import nothing but `error` themselves, and what FLOORS says.
const GROUND: &[&str] = &["error", "tensor", "rng", "eigen", "threads", "whole_file", "claim"];

/// The floors: each module of `src/`, a file or a folder, and the modules it may import beside itself
/// and the ground. `module::Item` admits that item alone, `*` admits everything.
const FLOORS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("tensor", &[]),
    ("rng", &[]),
    ("eigen", &["tensor"]),
    ("threads", &[]),
    ("fault", &[]),
    ("whole_file", &["fault"]),
    ("claim", &["whole_file", "fault"]),
    ("shader", &[]),
    // WHAT. An operation's kernel names its shader, so ops see shader; graphs do not.
    ("graph", &[]),
    ("ops", &["shader", "graph"]),
    ("autodiff", &["graph", "ops"]),
    // HOW
    ("plan", &["shader", "graph", "ops", "autodiff"]),
    // WHERE
    ("device", &["shader", "graph", "ops", "autodiff", "plan"]),
    // Recipes, and what they are fed.
    ("nn", &["graph", "ops", "autodiff"]),
    ("optim", &["graph", "ops", "autodiff"]),
    ("data", &[]),
    ("config", &["graph", "ops", "autodiff", "nn", "data", "statistics"]),
    ("statistics", &[]),
    ("model", &["graph", "ops", "autodiff", "nn", "optim", "data", "config"]),
    ("train", &["shader", "graph", "ops", "plan", "device", "nn", "data", "config", "model", "statistics"]),
    (
        "study",
        &[
            "graph",
            "ops",
            "autodiff",
            "plan",
            "device",
            "nn",
            "optim",
            "data",
            "config",
            "model",
            "train",
            "statistics",
        ],
    ),
    // The roof.
    ("report", &["data::ImageShape", "statistics"]),
    ("cli", &["*"]),
    ("main", &["*"]),
    ("lib", &["*"]),
];

/// Names at the root of the crate that stand for a module's: re-exports and macros.
const AT_THE_ROOT: &[(&str, &str)] =
    &[("Error", "error"), ("Result", "error"), ("twin", "graph"), ("for_each_kernel", "ops")];

/// Words that library code does without, and the files or folders that may use them.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (".unwrap()", &[]),
    (".expect(", &[]),
    ("panic!(", &[]),
    ("unreachable!(", &[]),
    ("unimplemented!(", &[]),
    ("todo!", &[]),
    ("dbg!(", &[]),
    ("println!(", &["main.rs", "cli/"]),
    ("print!(", &["main.rs", "cli/"]),
    ("super::super", &[]),
    ("wgpu::", &["device/gpu/"]),
    ("use wgpu", &["device/gpu/"]),
    // The edge is asynchronous, and there may be neither threads nor a clock behind it.
    ("pollster", &["device/blocking.rs", "cli/"]),
    ("rayon::", &["threads.rs", "cli/"]),
    ("unsafe {", &["device/gpu/mod.rs", "device/cpu/kernels/product.rs", "main.rs"]),
    ("unsafe fn", &["device/gpu/mod.rs", "device/cpu/kernels/product.rs"]),
    ("unsafe impl", &["device/gpu/mod.rs", "device/cpu/kernels/product.rs"]),
];

/// Words that no source has, comments included.
const UNFINISHED: &[&str] = &["TODO", "FIXME", "XXX"];

/// Most lines of a Rust file.
const LONGEST: usize = 330;

/// Most files of a folder.
const MOST_FILES: usize = 20;

/// The rooms: every folder that has files of its own, and what lives in it.
const ROOMS: &[&str] = &[
    "src",
    // Symmetric matrices.
    "src/eigen",
    // Arguments, and one call into the library for each command.
    "src/cli",
    "src/cli/command",
    "src/cli/command/codes",
    // What can be asked of a run.
    "src/config",
    "src/config/file",
    // One file an objective: keys, checks, terms, what it tells.
    "src/config/objective",
    // What can be read, and how it reaches the device.
    "src/data",
    "src/data/digits",
    // WHAT
    "src/graph",
    "src/ops",
    "src/ops/array",
    "src/ops/batch",
    "src/ops/ceiling",
    "src/ops/energy",
    "src/ops/entropy",
    "src/ops/fused",
    "src/ops/kernel",
    "src/ops/loss",
    "src/ops/matmul",
    "src/ops/norm",
    "src/ops/random",
    "src/ops/step",
    // HOW
    "src/plan",
    "src/plan/fuse",
    // WHERE
    "src/device",
    "src/device/cpu",
    "src/device/cpu/kernels",
    "src/device/gpu",
    "src/device/proof",
    "src/device/tune",
    // Plain functions over graphs.
    "src/nn",
    // One file a kind of block.
    "src/nn/block",
    "src/nn/losses",
    "src/optim",
    // A configuration becomes graphs.
    "src/model",
    // The one loop, and what it leaves.
    "src/train",
    "src/train/profile",
    "src/train/record",
    // What people do with models, and the numbers they judge them by.
    "src/study",
    "src/statistics",
    // Pictures, plots, tables.
    "src/report",
    // Kernels by family, each with the snippets that it alone uses.
    "shaders/array",
    "shaders/batch",
    "shaders/batch/parts",
    "shaders/ceiling",
    "shaders/common",
    "shaders/energy",
    "shaders/entropy",
    "shaders/entropy/parts",
    "shaders/fused",
    "shaders/fused/parts",
    "shaders/loss",
    "shaders/loss/parts",
    "shaders/matmul",
    "shaders/matmul/parts",
    "shaders/matmul/parts/left",
    "shaders/matmul/parts/right",
    "shaders/norm",
    "shaders/norm/parts",
    "shaders/random",
    "shaders/random/parts",
    "shaders/step",
];

/// A source file: its path below the root of its tree, and its text.
struct File {
    path: String,
    text: String,
}

impl File {
    /// The module of `src/` that the file belongs to.
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    fn is_within(&self, places: &[&str]) -> bool {
        places.iter().any(|place| if place.ends_with('/') { self.path.starts_with(place) } else { self.path == *place })
    }
}

/// All files below a folder of the package with this extension.
fn files(folder: &str, extension: &str) -> Vec<File> {
    fn walk(root: &Path, folder: &Path, extension: &str, found: &mut Vec<File>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, extension, found);
            } else if path.extension().is_some_and(|e| e == extension) {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                found.push(File { path: name, text: fs::read_to_string(&path).unwrap() });
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    walk(&root, &root, extension, &mut found);
    assert!(!found.is_empty(), "nothing in {folder}");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The code of a Rust file: no comments, and no item behind `#[cfg(test)]`. Relies on rustfmt: such an
/// item ends with a brace as far to the right as its attribute.
fn code(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("#[cfg(test)]") {
            let end = format!("{}}}", &line[..line.len() - trimmed.len()]);
            let first = lines.by_ref().find(|line| !line.trim_start().starts_with("#[")).unwrap_or_default();
            if !first.ends_with(';') {
                lines.by_ref().find(|line| **line == end);
            }
        } else if !trimmed.starts_with("//") {
            kept.push_str(line.split(" // ").next().unwrap_or_default());
            kept.push('\n');
        }
    }
    kept
}

/// What follows each `crate::`, as `module::Item` or `module`; groups in braces are taken apart.
fn imports(code: &str) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let flat: String = group
                .chars()
                .take_while(|&c| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    depth >= 0
                })
                .collect();
            // Only the modules matter here; items of an inner group come out as names of no module.
            found.extend(flat.split([',', '{', '}']).map(|part| part.trim().to_string()).filter(|p| !p.is_empty()));
        } else {
            found.push(rest.chars().take_while(|&c| is_path(c)).collect());
        }
    }
    found
}

/// Why an import goes up, if it does.
fn objection(module: &str, import: &str) -> Option<String> {
    let allowed = FLOORS.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
    let Some(allowed) = allowed else { return Some(format!("module '{module}' stands on no floor: add it to FLOORS")) };
    let first = import.split("::").next().unwrap_or_default();
    let first = AT_THE_ROOT.iter().find(|(name, _)| *name == first).map_or(first, |(_, module)| module);
    let known = FLOORS.iter().any(|(name, _)| *name == first);
    let everyone = first == "error" || first == module;
    let ground = GROUND.contains(&first) && !GROUND.contains(&module);
    let listed = |rule: &&str| *rule == "*" || *rule == first || import == *rule;
    let fine = !known || everyone || ground || allowed.iter().any(listed);
    (!fine).then(|| format!("'{module}' must not import '{import}'"))
}

fn assert_none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn imports_go_down_only() {
    let mut problems = Vec::new();
    for file in files("src", "rs") {
        for import in imports(&code(&file.text)) {
            problems.extend(objection(file.module(), &import).map(|why| format!("src/{}: {why}", file.path)));
        }
        problems.extend(objection(file.module(), "error").map(|why| format!("src/{}: {why}", file.path)));
    }
    assert_none(problems);
}

#[test]
fn library_code_keeps_to_its_words() {
    let mut problems = Vec::new();
    for file in files("src", "rs") {
        let code = code(&file.text);
        for (word, places) in FORBIDDEN {
            if code.contains(word) && !file.is_within(places) {
                problems.push(format!("src/{}: {word}", file.path));
            }
        }
    }
    assert_none(problems);
}

#[test]
fn nothing_is_left_unfinished() {
    let mut problems = Vec::new();
    for (folder, extension) in [("src", "rs"), ("shaders", "wgsl")] {
        for file in files(folder, extension) {
            let words = UNFINISHED.iter().filter(|word| file.text.contains(**word));
            problems.extend(words.map(|word| format!("{folder}/{}: {word}", file.path)));
        }
    }
    assert_none(problems);
}

#[test]
fn rust_files_are_short() {
    let long = files("src", "rs").into_iter().filter(|file| file.text.lines().count() > LONGEST);
    assert_none(long.map(|file| format!("src/{}: {} lines", file.path, file.text.lines().count())).collect());
}

#[test]
fn there_are_no_orphan_shaders() {
    let ops: String = files("src/ops", "rs").iter().map(|file| code(&file.text)).collect();
    let mentioned = |stem: &str| ops.contains(&format!("\"{stem}\""));
    let uses: BTreeSet<&str> = KERNEL_SOURCES
        .iter()
        .filter_map(|source| source.text.lines().next()?.strip_prefix("//!use "))
        .flat_map(str::split_whitespace)
        .collect();
    let used = |source: &&Source| mentioned(source.stem) || uses.contains(source.stem);
    let orphans = KERNEL_SOURCES.iter().chain(SNIPPET_SOURCES).filter(|source| !used(source));
    assert_none(orphans.map(|source| format!("shaders/{} is used by nothing", source.file)).collect());
}

#[test]
fn every_kernel_and_its_shaders_are_of_one_family() {
    let family = |place: &str| place.split('/').next().unwrap_or_default().to_string();
    let ops = files("src/ops", "rs");
    let mut problems = Vec::new();
    for kernel in KERNELS {
        let stem = kernel.stem();
        let Some(op) = ops.iter().find(|file| file.path.ends_with(&format!("/{stem}.rs"))) else {
            problems.push(format!("src/ops: there is no {stem}.rs for the kernel of that stem"));
            continue;
        };
        let shaders = KERNEL_SOURCES.iter().filter(|source| op.text.contains(&format!("\"{}\"", source.stem)));
        let strangers = shaders.filter(|source| family(source.file) != family(&op.path));
        problems.extend(strangers.map(|source| format!("shaders/{}: launched by src/ops/{}", source.file, op.path)));
    }
    assert_none(problems);
}

/// A snippet lies with the one family that uses it, else in `common`.
#[test]
fn snippets_lie_where_they_are_used() {
    let ops = files("src/ops", "rs");
    let family = |place: &str| place.split('/').next().unwrap_or_default().to_string();
    let mut problems = Vec::new();
    for snippet in SNIPPET_SOURCES {
        let listed = |source: &&Source| {
            let line = source.text.lines().next().and_then(|line| line.strip_prefix("//!use ")).unwrap_or_default();
            line.split_whitespace().any(|name| name == snippet.stem)
        };
        let by_shaders = KERNEL_SOURCES.iter().filter(listed).map(|source| family(source.file));
        let quoted = format!("\"{}\"", snippet.stem);
        let by_hosts = ops.iter().filter(|file| code(&file.text).contains(&quoted)).map(|file| family(&file.path));
        let families: BTreeSet<String> = by_shaders.chain(by_hosts).collect();
        let expected = match families.len() {
            1 => families.into_iter().next().unwrap_or_default(),
            _ => "common".into(),
        };
        if family(snippet.file) != expected {
            problems.push(format!("shaders/{} belongs to {expected}", snippet.file));
        }
    }
    assert_none(problems);
}

#[test]
fn folders_are_no_halls() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (folder, extension) in [("src", "rs"), ("shaders", "wgsl")] {
        for file in files(folder, extension) {
            let parent = file.path.rsplit_once('/').map_or("", |(parent, _)| parent);
            *counts.entry(format!("{folder}/{parent}")).or_default() += 1;
        }
    }
    let halls = counts.into_iter().filter(|(_, count)| *count > MOST_FILES);
    assert_none(halls.map(|(folder, count)| format!("{folder}: {count} files")).collect());
}

#[test]
fn every_file_is_in_a_room() {
    let mut problems = Vec::new();
    let mut empty: BTreeSet<&str> = ROOMS.iter().copied().collect();
    for (folder, extension) in [("src", "rs"), ("shaders", "wgsl")] {
        for file in files(folder, extension) {
            let parent = file.path.rsplit_once('/').map_or(String::new(), |(parent, _)| format!("/{parent}"));
            let room = format!("{folder}{parent}");
            match ROOMS.iter().find(|known| **known == room) {
                Some(known) => drop(empty.remove(known)),
                None => problems
                    .push(format!("{folder}/{}: '{room}' is no room: add it to ROOMS, or move the file", file.path)),
            }
        }
    }
    problems.extend(empty.into_iter().map(|room| format!("{room}: a room without a file")));
    assert_none(problems);
}

/// The reading itself, on what it must and must not see.
#[test]
fn the_rules_can_fail() {
    let text = "use crate::device::Device;\n// crate::plan\nfn f() { x.y(); } // .unwrap()\n#[cfg(test)]\nmod tests {\n    \
                use crate::train::A;\n}\nuse crate::{nn, plan::{Plan, Step}};\n";
    let code = code(text);
    assert!(!code.contains("unwrap") && !code.contains("train"), "{code}");
    let found = imports(&code);
    assert_eq!(found, ["device::Device", "nn", "plan::", "Plan", "Step"]);
    for import in ["device::Device", "nn", "plan::", "train::Loop", "data::idx"] {
        assert!(objection("ops", import).is_some(), "ops importing {import}");
    }
    assert!(objection("tensor", "rng").is_some() && objection("tensor", "error::Result").is_none());
    assert!(objection("tensor", "Error").is_none());
    assert!(objection("graph", "shader::ShaderKey").is_some() && objection("ops", "shader::ShaderKey").is_none());
    assert!(objection("report", "data::ImageShape").is_none() && objection("report", "data::idx").is_some());
    assert!(objection("data", "graph").is_some() && objection("plan", "device::Device").is_some());
    assert!(objection("cellar", "error").is_some(), "a module without a floor");
}
