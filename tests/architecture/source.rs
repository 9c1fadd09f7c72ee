//! Source files, and what of them is code.

use std::fs;
use std::path::Path;

/// A source file: its path below the root of its tree, and its text.
pub struct File {
    pub path: String,
    pub text: String,
}

impl File {
    /// The module of `src/` that the file belongs to.
    pub fn module(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    pub fn is_within(&self, places: &[&str]) -> bool {
        places.iter().any(|place| if place.ends_with('/') { self.path.starts_with(place) } else { self.path == *place })
    }
}

/// All files below a folder of the package with this extension.
pub fn files(folder: &str, extension: &str) -> Vec<File> {
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
pub fn code(text: &str) -> String {
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

pub fn assert_none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
