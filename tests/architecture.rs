//! The house rules that a compiler does not check. The tables are the rules; what follows reads files.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gpu_ae::ops::KERNELS;
use gpu_ae::shader::{KERNEL_SOURCES, SNIPPET_SOURCES};

/// What every module may import. These import nothing but `error` themselves.
const GROUND: &[&str] = &["error", "tensor", "rng", "whole_file"];

/// The floors: each module of `src/`, a file or a folder, and the modules it may import beside itself
/// and the ground. `module::Item` admits that item alone, `*` admits everything.
const FLOORS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("tensor", &[]),
    ("rng", &[]),
    ("whole_file", &[]),
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
    ("config", &["graph", "ops", "autodiff", "plan", "device", "nn", "optim", "data"]),
    ("train", &["shader", "graph", "ops", "autodiff", "plan", "device", "nn", "optim", "data", "config"]),
    // The roof.
    ("report", &["data::ImageShape"]),
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
    ("wgpu::", &["device/"]),
    ("use wgpu", &["device/"]),
    ("unsafe {", &["device/gpu.rs", "device/cpu_product.rs", "main.rs"]),
    ("unsafe fn", &["device/gpu.rs", "device/cpu_product.rs"]),
    ("unsafe impl", &["device/gpu.rs", "device/cpu_product.rs"]),
];

/// Words that no source has, comments included.
const UNFINISHED: &[&str] = &["TODO", "FIXME", "XXX"];

/// Most lines of a Rust file.
const LONGEST: usize = 330;

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
        .filter_map(|(_, source)| source.lines().next()?.strip_prefix("//!use "))
        .flat_map(str::split_whitespace)
        .collect();
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for file in files("shaders", "wgsl") {
        let stem = file.path.trim_end_matches(".wgsl");
        let (table, used, stem) = match stem.strip_prefix("common/") {
            Some(snippet) => (SNIPPET_SOURCES, uses.contains(snippet) || mentioned(snippet), snippet),
            None => (KERNEL_SOURCES, mentioned(stem), stem),
        };
        if !table.iter().any(|(name, text)| *name == stem && *text == file.text) {
            problems.push(format!("shaders/{} is not in src/shader.rs", file.path));
        }
        if !used {
            problems.push(format!("shaders/{} is used by nothing", file.path));
        }
        seen.insert(file.path);
    }
    assert_eq!(seen.len(), KERNEL_SOURCES.len() + SNIPPET_SOURCES.len());
    assert_none(problems);
}

#[test]
fn every_kernel_has_a_file_of_its_stem() {
    let stems: BTreeSet<String> = files("src/ops", "rs").into_iter().map(|file| file.path).collect();
    let missing = KERNELS.iter().filter(|kernel| !stems.contains(&format!("{}.rs", kernel.stem())));
    assert_none(missing.map(|kernel| format!("src/ops/{}.rs does not exist", kernel.stem())).collect());
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
