//! Lists the shaders: every file below `shaders/` with an entry point is a kernel's, every other one a snippet.
//!
//! The list is a Rust file that `src/shader.rs` includes; nobody types it.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

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
    Ok(())
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
