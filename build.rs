//! Lists the shaders: every file below `shaders/` with an entry point is a kernel's, every other one a snippet. Says which commit is built.
//!
//! The list is a Rust file that `src/shader.rs` includes; nobody types it. The commit is what `--version` tells.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What only a shader with an entry point has.
const ENTRY: &str = "@compute";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("shaders");
    println!("cargo::rerun-if-changed=shaders");
    let mut files = Vec::new();
    find(&root, &mut files)?;
    files.sort_by_key(|file| file.file_stem().map(ToOwned::to_owned));
    let [mut kernels, mut snippets] = [const { String::new() }; 2];
    let mut before = String::new();
    for file in &files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if stem == before {
            return Err(format!("shaders: there are two files {stem}.wgsl; a shader is known by its stem alone").into());
        }
        let is_kernel = fs::read_to_string(file)?.contains(ENTRY);
        let place = file.strip_prefix(&root)?.to_string_lossy().replace('\\', "/");
        let list = if is_kernel { &mut kernels } else { &mut snippets };
        let absolute = file.to_string_lossy();
        writeln!(list, "    Source {{ stem: {stem:?}, file: {place:?}, text: include_str!({absolute:?}) }},")?;
        before = stem;
    }
    let list = format!(
        "/// Kernels, in alphabetical order.\npub const KERNEL_SOURCES: &[Source] = &[\n{kernels}];\n\n\
         /// Snippets that kernels are assembled from, in alphabetical order.\n\
         pub const SNIPPET_SOURCES: &[Source] = &[\n{snippets}];\n"
    );
    fs::write(PathBuf::from(std::env::var("OUT_DIR")?).join("shaders.rs"), list)?;
    println!("cargo::rustc-env=GPU_AE_COMMIT={}", commit().unwrap_or_default());
    // As much stack for the program's first thread as elsewhere: Windows gives it an eighth of that.
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "msvc") {
        println!("cargo::rustc-link-arg-bins=/STACK:{}", 8 << 20);
    }
    Ok(())
}

/// The commit that is built, of a checkout or of a package made of one. What is built while working says none, and a commit alone
/// rebuilds nothing: until a source changes, the program is that of the commit before, "changed since".
fn commit() -> Option<String> {
    if std::env::var("PROFILE").ok()? != "release" {
        return None;
    }
    println!("cargo::rerun-if-changed=src");
    if let Ok(packaged) = fs::read_to_string(".cargo_vcs_info.json") {
        let (_, rest) = packaged.split_once("\"sha1\": \"")?;
        return rest.get(..7).map(str::to_string);
    }
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    let commit = git(&["log", "-1", "--format=%h, %cs"])?;
    let changed = git(&["status", "--porcelain", "--", "Cargo.lock", "Cargo.toml", "shaders", "src"])?;
    Some(if changed.is_empty() { commit } else { format!("{commit}, changed since") })
}

/// All shaders below a folder. A folder is watched too, so that a new file is seen.
fn find(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "wgsl") {
            found.push(path);
        }
    }
    Ok(())
}
