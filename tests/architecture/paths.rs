//! A file or folder that is named in code, a comment or a document is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::source::assert_none;

/// Folders that are read, as are the files beside them. A name that begins with one of them is one of this package.
const ROOTS: &[&str] = &["assets", "benches", "docs", "python", "shaders", "src", "tests", "web"];

/// Below the roots, what builds leave there.
const LEFT_BY_BUILDS: &[&str] = &["target", "__pycache__", "dist"];

/// Endings of the files that are read; those without an ending are programs and licences.
const TEXTS: &[&str] = &["rs", "wgsl", "md", "toml", "sh", "py", "mjs", ""];

/// Endings of files that can only be ones of this package, wherever they are said to lie. Others are also what a
/// program writes.
const SOURCES: &[&str] = &[".rs", ".wgsl", ".md", ".sh", ".py", ".mjs"];

/// What stands for something else in a name: that name is no file's.
const PLACEHOLDERS: &[char] = &['<', '>', '{', '}', '*', '$', '~', '\\'];

/// What there is, by paths from the root of the package.
#[derive(Default)]
struct Tree {
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
}

impl Tree {
    fn of_package() -> Self {
        let mut tree = Tree::default();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for entry in fs::read_dir(root).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.path().is_file() {
                tree.files.insert(name);
            } else if ROOTS.contains(&name.as_str()) {
                tree.walk(root, name);
            }
        }
        assert!(ROOTS.iter().all(|root| tree.folders.contains(*root)), "{:?}", tree.folders);
        tree
    }

    fn walk(&mut self, root: &Path, folder: String) {
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = format!("{folder}/{name}");
            if !entry.path().is_dir() {
                self.files.insert(path);
            } else if !LEFT_BY_BUILDS.contains(&name.as_str()) {
                self.walk(root, path);
            }
        }
        self.folders.insert(folder);
    }

    fn has(&self, path: &str) -> bool {
        self.files.contains(path) || self.folders.contains(path)
    }

    /// Whether this is there as a file beside `from` names it.
    fn has_beside(&self, from: &str, name: &str) -> bool {
        let mut path: Vec<&str> = from.split('/').collect();
        path.pop();
        for part in name.trim_end_matches('/').split('/') {
            match part {
                "." => {}
                ".." if path.pop().is_none() => return false,
                ".." => {}
                _ => path.push(part),
            }
        }
        path.is_empty() || self.has(&path.join("/"))
    }

    /// Whether this is there, as somebody means it who names it in the file `from`: from the root, from that file, or
    /// by the end of its path.
    fn means(&self, from: &str, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        let ends_so = |file: &String| file.strip_suffix(name).is_some_and(|before| before.ends_with('/'));
        self.has(name) || self.has_beside(from, name) || !is_rooted(name) && self.files.iter().any(ends_so)
    }

    /// What this text of the file `from` names, and is not there: lines and names.
    fn missing(&self, from: &str, text: &str) -> Vec<(usize, String)> {
        let mut missing = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let gone = names(text).filter(|name| !self.means(from, name));
            missing.extend(gone.map(|name| (line, name.to_string())));
            if from.ends_with(".md") {
                let broken = links(text).filter(|link| !self.has_beside(from, link));
                missing.extend(broken.map(|link| (line, format!("{link} beside it"))));
            }
        }
        missing
    }
}

/// Whether it is a path from the root, of something that does not only come of a build.
fn is_rooted(name: &str) -> bool {
    let is_of_build = name.split('/').any(|part| LEFT_BY_BUILDS.contains(&part));
    !is_of_build && name.split_once('/').is_some_and(|(first, _)| ROOTS.contains(&first))
}

/// Whatever in a line has the form of a path in this package.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-./,".contains(c) || PLACEHOLDERS.contains(&c);
    let words = line.split(move |c| !is_part(c)).map(|word| word.trim_end_matches(['.', ',']));
    let ends_so = |name: &str| SOURCES.iter().any(|end| name.strip_suffix(end).is_some_and(|stem| !stem.is_empty()));
    // What begins with a slash is of a machine, or the rest of an address.
    words
        .filter(move |word| is_rooted(word) || ends_so(word))
        .filter(|word| !word.starts_with('/') && !word.contains(PLACEHOLDERS))
}

/// Files that a line of Markdown links to.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains(':'))
}

#[test]
fn what_is_named_is_there() {
    let tree = Tree::of_package();
    let mut problems = Vec::new();
    for file in &tree.files {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let ending = path.extension().unwrap_or_default().to_str().unwrap();
        // What a test reads need be no text, whatever it is called.
        let text = TEXTS.contains(&ending).then(|| fs::read_to_string(&path)).and_then(Result::ok);
        if let Some(text) = text {
            let missing = tree.missing(file, &text);
            problems.extend(missing.into_iter().map(|(line, name)| format!("{file}:{line}: there is no {name}")));
        }
    }
    assert_none(problems);
}

/// The reading itself. What is not there is put together, since this file is read too.
#[test]
fn a_name_that_is_wrong_is_noticed() {
    let tree = Tree {
        files: ["README.md", "docs/using.md", "src/ops/array/unary.rs", "shaders/array/unary.wgsl"]
            .map(str::to_string)
            .into(),
        folders: ["docs", "src", "src/ops"].map(str::to_string).into(),
    };
    let missing =
        |from: &str, text: &str| tree.missing(from, text).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    let gone = ["src/ops/", "ops/", "shaders/array/", "ray/"].map(|place| format!("{place}unary.rs"));
    for name in gone.into_iter().chain([format!("{}nary.rs", "")]) {
        assert_eq!(missing("src/ops/array/unary.rs", &format!("one\n/// See `{name}`, or.")), [name]);
    }
    let folder = ["src", "nowhere"].join("/");
    assert_eq!(
        tree.missing("README.md", &format!("one\nin {folder}/, {folder}.\n")),
        [(2, format!("{folder}/")), (2, folder)]
    );
    let there = "`src/ops/array/unary.rs`, array/unary.wgsl: unary.rs (src/ops/) in docs/using.md. [x](docs/using.md#y)\n\
                 src/<family>/x.rs shaders/{a,b}.wgsl src/*.rs /usr/lib.rs https://docs.rs/x.rs [y](https://docs.rs) .rs\n\
                 runs/model.toml";
    assert_eq!(missing("README.md", there), [""; 0]);
    // A link is followed from the file that it is in.
    assert_eq!(missing("docs/using.md", "[a](using.md) [b](../src) [c](..)"), [""; 0]);
    assert_eq!(
        missing("docs/using.md", "[a](docs/using.md) [b](nowhere)"),
        ["docs/using.md beside it", "nowhere beside it"]
    );
}

/// Names of tests in a document: the file of each, and its own.
fn named_tests(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|quoted| quoted.split_once("::").filter(|(path, _)| path.ends_with(".rs")))
}

#[test]
fn what_a_promise_says_is_tested_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/promises.md")).unwrap();
    let promises = text.lines().filter(|line| line.starts_with("| ") && !line.contains("| test |"));
    let mut problems = Vec::new();
    let mut count = 0;
    for line in promises {
        let mut tests = named_tests(line).peekable();
        if tests.peek().is_none() {
            problems.push(format!("docs/promises.md: no test is named in: {line}"));
        }
        for (path, name) in tests {
            count += 1;
            let there = fs::read_to_string(root.join(path)).is_ok_and(|file| file.contains(&format!("fn {name}(")));
            if !there {
                problems.push(format!("docs/promises.md: there is no {name} in {path}"));
            }
        }
    }
    assert!(count > 10, "only {count} tests are named");
    assert_none(problems);
}

/// A page that the book's table of contents leaves out is a page that nobody finds.
#[test]
fn every_page_is_in_the_book() {
    let contents = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SUMMARY.md")).unwrap();
    let listed: BTreeSet<&str> = contents.lines().flat_map(links).collect();
    let tree = Tree::of_package();
    let pages = tree.files.iter().filter_map(|file| file.strip_prefix("docs/")).filter(|file| file.ends_with(".md"));
    let pages: BTreeSet<&str> = pages.filter(|page| *page != "SUMMARY.md").collect();
    assert_none(pages.difference(&listed).map(|page| format!("docs/{page} is not in docs/SUMMARY.md")).collect());
    assert_eq!(pages, listed);
}
