//! A kernel, its shaders and its snippets lie in one family.

use std::collections::BTreeSet;

use crate::source::{assert_none, code, files};
use gpu_ae::ops::KERNELS;
use gpu_ae::shader::{KERNEL_SOURCES, SNIPPET_SOURCES, Source};

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
