//! Words that code does without, and how long a file may be.

use crate::source::{assert_none, code, files};

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
    (
        "unsafe {",
        &[
            "data/mapped.rs",
            "device/gpu/mod.rs",
            "device/cpu/kernels/conv/gradient.rs",
            "device/cpu/kernels/conv/tile.rs",
            "device/cpu/kernels/product/tile.rs",
            "main.rs",
        ],
    ),
    ("unsafe fn", &["device/gpu/mod.rs", "device/cpu/kernels/product/tile.rs"]),
    ("unsafe impl", &["device/gpu/mod.rs", "device/cpu/kernels/product/tile.rs"]),
];

/// Words that no source has, comments included.
const UNFINISHED: &[&str] = &["TODO", "FIXME", "XXX"];

/// Most lines of a Rust file.
const LONGEST: usize = 330;

#[test]
fn library_code_keeps_to_its_words() {
    let mut problems = Vec::new();
    // A module of tests may have a file of its own.
    let is_of_tests = |path: &str| {
        let stem = path.trim_end_matches(".rs");
        ["/tests", "_tests", "/strangers"].iter().any(|end| stem.ends_with(end))
    };
    for file in files("src", "rs").into_iter().filter(|file| !is_of_tests(&file.path)) {
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
