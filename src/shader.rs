//! Shaders: assembled from a kernel, the snippets it uses and generated constants, then reflected by
//! naga.
//!
//! WGSL is the only place where bindings, workgroup sizes and parameter blocks are declared; the
//! host learns them here and never retypes them. Tests, reflection and devices all see the
//! assembled module.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock};

use naga::proc::{GlobalCtx, Layouter};
use naga::valid::Capabilities;

use crate::error::{Error, Result};

/// A file of `shaders/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name without folder and extension, by which it is known: no two files share one.
    pub stem: &'static str,
    /// Its path below `shaders/`.
    pub file: &'static str,
    /// What it says.
    pub text: &'static str,
}

// KERNEL_SOURCES and SNIPPET_SOURCES, as build.rs has found them.
include!(concat!(env!("OUT_DIR"), "/shaders.rs"));

/// What kernels may ask for beyond WGSL's core; the plan offers them only to devices that have it.
pub const CAPABILITIES: Capabilities =
    Capabilities::SUBGROUP.union(Capabilities::SHADER_FLOAT16).union(Capabilities::COOPERATIVE_MATRIX);

/// Bytes of a uniform operand: what any adapter can bind. WGSL wants arrays of a fixed size in uniform
/// buffers, and the range bound must hold all of it, whatever part is used.
pub const UNIFORM_BYTES: usize = 64 << 10;

/// Vectors of four in a row of the texture that mirrors a buffer: a row is a power of two, and small beside the room
/// behind every buffer ([`UNIFORM_BYTES`]), which the end of the last row reaches into.
pub const TEXEL_ROW: usize = 1024;

/// Which shader, assembled how.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShaderKey {
    /// Stem of the kernel.
    pub stem: &'static str,
    /// Constants of the generated header.
    pub constants: Vec<(&'static str, u32)>,
    /// Snippets beside those that the kernel names itself.
    pub snippets: Vec<&'static str>,
}

impl ShaderKey {
    /// The shader as it stands.
    pub fn plain(stem: &'static str) -> Self {
        ShaderKey { stem, constants: Vec::new(), snippets: Vec::new() }
    }

    /// A name for labels and files: stem, constants and variant.
    pub fn label(&self) -> String {
        let mut label = self.stem.to_string();
        for (_, value) in &self.constants {
            let _ = write!(label, "_{value}");
        }
        let usual = |snippet: &str| ["vec4", "buffer", "buffers"].iter().any(|end| snippet.ends_with(end));
        for snippet in self.snippets.iter().filter(|snippet| !usual(snippet)) {
            let _ = write!(label, "_{snippet}");
        }
        label
    }
}

/// How a binding is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only read, [`UNIFORM_BYTES`] of it, as a uniform buffer.
    Uniform,
    /// Only read, as it was before the dispatch, through a texture that mirrors it in rows of [`TEXEL_ROW`] vectors.
    Texels,
    /// Only read.
    Read,
    /// Read and written.
    ReadWrite,
}

impl Access {
    /// Whether one dispatch cannot use a buffer in both ways.
    pub fn conflicts(self, other: Access) -> bool {
        let mirrored = self == Access::Texels || other == Access::Texels;
        !mirrored && (self == Access::ReadWrite) != (other == Access::ReadWrite)
    }
}

/// What naga says about an assembled shader.
#[derive(Debug)]
pub struct Shader {
    /// Label for pipelines and dumps.
    pub label: String,
    /// The assembled WGSL.
    pub source: String,
    /// The parsed module.
    pub module: naga::Module,
    /// naga's analysis of it.
    pub info: naga::valid::ModuleInfo,
    /// Words of the uniform block at binding 0.
    pub param_words: usize,
    /// Access of bindings 1, 2, ….
    pub storage: Vec<Access>,
    /// Invocations of a workgroup.
    pub workgroup: usize,
}

/// The source of this stem; both lists are sorted.
fn lookup(sources: &'static [Source], stem: &str) -> Result<&'static Source> {
    let found = sources.binary_search_by_key(&stem, |source| source.stem).ok().map(|index| &sources[index]);
    found.ok_or_else(|| Error::graph(stem, format!("there is no {stem}.wgsl among the shaders")))
}

/// The assembled WGSL: extensions, constants, snippets, kernel.
///
/// # Errors
/// When the kernel or a snippet does not exist.
pub fn assemble(key: &ShaderKey) -> Result<String> {
    let kernel = lookup(KERNEL_SOURCES, key.stem)?.text;
    let mut source = String::new();
    let marked = |mark: &str| kernel.lines().take(2).find_map(|line| line.strip_prefix(mark)).unwrap_or_default();
    for extension in marked("//!enable ").split_whitespace() {
        let _ = writeln!(source, "enable {extension};");
    }
    for (name, value) in &key.constants {
        let _ = writeln!(source, "const {name}: u32 = {value}u;");
    }
    let snippets = || marked("//!use ").split_whitespace().chain(key.snippets.iter().copied());
    if snippets().any(|snippet| snippet == "texels") {
        let _ = writeln!(source, "const TEXEL_ROW: u32 = {TEXEL_ROW}u;");
    }
    for snippet in snippets() {
        source.push_str(lookup(SNIPPET_SOURCES, snippet)?.text);
        source.push('\n');
    }
    source.push_str(kernel);
    Ok(source)
}

/// Assembles, parses, validates and reflects a shader; each variant once per process.
///
/// # Errors
/// When the WGSL is not valid: a defect of this program, worded for its developers.
pub fn shader(key: &ShaderKey) -> Result<Arc<Shader>> {
    static CACHE: OnceLock<Mutex<HashMap<ShaderKey, Arc<Shader>>>> = OnceLock::new();
    let cache = CACHE.get_or_init(Mutex::default);
    let poisoned = |_| Error::graph(key.stem, "another thread died while reflecting a shader");
    if let Some(shader) = cache.lock().map_err(poisoned)?.get(key) {
        return Ok(shader.clone());
    }
    let shader = Arc::new(reflect(key)?);
    cache.lock().map_err(|_| Error::graph(key.stem, "another thread died"))?.insert(key.clone(), shader.clone());
    Ok(shader)
}

fn reflect(key: &ShaderKey) -> Result<Shader> {
    let label = key.label();
    let source = assemble(key)?;
    let file = lookup(KERNEL_SOURCES, key.stem)?.file;
    let invalid = |problem: String| Error::graph(format!("shaders/{file}"), problem);
    let module = naga::front::wgsl::parse_str(&source).map_err(|e| invalid(e.emit_to_string(&source)))?;
    let info = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), CAPABILITIES)
        .validate(&module)
        .map_err(|e| invalid(e.emit_to_string(&source)))?;

    let mut layouter = Layouter::default();
    let context: GlobalCtx<'_> = module.to_ctx();
    layouter.update(context).map_err(|e| invalid(e.to_string()))?;
    let mut param_words = 0;
    let mut storage: Vec<(u32, Access)> = Vec::new();
    for (_, variable) in module.global_variables.iter() {
        let Some(binding) = variable.binding else { continue };
        match variable.space {
            naga::AddressSpace::Uniform if binding.binding > 0 => {
                if layouter[variable.ty].size as usize != UNIFORM_BYTES {
                    return Err(invalid(format!("a uniform operand has {UNIFORM_BYTES} bytes")));
                }
                storage.push((binding.binding, Access::Uniform));
            }
            naga::AddressSpace::Uniform => param_words = layouter[variable.ty].size as usize / 4,
            naga::AddressSpace::Storage { access } => {
                let write = access.contains(naga::StorageAccess::STORE);
                storage.push((binding.binding, if write { Access::ReadWrite } else { Access::Read }));
            }
            naga::AddressSpace::Handle => storage.push((binding.binding, Access::Texels)),
            _ => {}
        }
    }
    storage.sort_by_key(|&(binding, _)| binding);
    if storage.iter().enumerate().any(|(i, &(binding, _))| binding as usize != i + 1) {
        return Err(invalid("bindings of operands must be numbered 1, 2, … without gaps".into()));
    }
    let entry = module.entry_points.first().ok_or_else(|| invalid("no entry point".into()))?;
    let workgroup = entry.workgroup_size.iter().product::<u32>() as usize;
    let storage = storage.into_iter().map(|(_, access)| access).collect();
    Ok(Shader { label, source, info, param_words, storage, workgroup, module })
}
