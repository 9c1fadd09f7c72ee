//! Every shader in every variant that the kernels' cases launch, as assembled: valid WGSL, translatable
//! to what drivers take, in agreement with its host, within the limits of any adapter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crate::common;
use gpu_ae::ops::{Applied, Dispatch, KERNELS};
use gpu_ae::plan::{DeviceKind, DeviceProfile};
use gpu_ae::shader::{Access, CAPABILITIES, KERNEL_SOURCES, SNIPPET_SOURCES, Shader, ShaderKey, shader};
use gpu_ae::tensor::{HostTensor, Ty};
use naga::back::{hlsl, msl, spv};
use naga::valid::{ModuleInfo, ValidationFlags, Validator};

/// Most lines of a shader file.
const LONGEST: usize = 120;
/// Invocations of a workgroup that every adapter allows.
const LARGEST_GROUP: usize = 256;
/// Storage buffers of a dispatch that every adapter allows.
const MOST_BUFFERS: usize = 8;
/// Textures of a dispatch that every adapter allows.
const MOST_TEXTURES: usize = 16;
/// Bytes of workgroup memory that every adapter allows.
const SHARED_BYTES: u32 = 16 << 10;

/// Kernels that need cooperative matrices, which browsers and naga's HLSL writer do not know: they are for
/// drivers that take SPIR-V or MSL.
const NATIVE_ONLY: &[&str] = &["matmul_cooperative"];

/// A device that has everything a kernel may ask for.
fn capable() -> DeviceProfile {
    let portable = DeviceProfile::portable(DeviceKind::Integrated);
    DeviceProfile { subgroup: Some(32), cooperative_matrix: true, texels: true, ..portable }
}

/// Every dispatch of every case, with the kernel's stem.
fn dispatches() -> Vec<(&'static str, Dispatch)> {
    let mut dispatches = Vec::new();
    for kernel in KERNELS {
        for case in kernel.cases() {
            let inputs: Vec<Ty> = case.inputs.iter().map(HostTensor::ty).collect();
            let inputs: Vec<&Ty> = inputs.iter().collect();
            let outputs = case.op.infer(&inputs).unwrap();
            let outputs = outputs.iter().collect::<Vec<_>>();
            let applied = Applied { op: case.op.as_ref(), inputs: &inputs, outputs: &outputs };
            let asked = |variant| applied.asked_of(*kernel, variant).unwrap();
            for variant in kernel.variants(&asked(""), &capable()).unwrap() {
                let launch = kernel.launch(&asked(variant)).unwrap();
                assert!(!launch.dispatches.is_empty(), "{} {}: nothing is launched", kernel.stem(), case.label);
                dispatches.extend(launch.dispatches.into_iter().map(|dispatch| (kernel.stem(), dispatch)));
            }
        }
    }
    dispatches
}

fn variants() -> BTreeMap<ShaderKey, Arc<Shader>> {
    let keys: BTreeSet<ShaderKey> = dispatches().into_iter().map(|(_, dispatch)| dispatch.shader).collect();
    keys.into_iter().map(|key| (key.clone(), shader(&key).unwrap())).collect()
}

#[test]
fn every_shader_file_is_launched_by_a_case() {
    let launched: BTreeSet<&str> = variants().keys().map(|key| key.stem).collect();
    let files: BTreeSet<&str> = KERNEL_SOURCES.iter().map(|source| source.stem).collect();
    assert_eq!(launched, files);
}

#[test]
fn variants_have_labels_of_their_own() {
    let variants = variants();
    let labels: BTreeSet<String> = variants.keys().map(ShaderKey::label).collect();
    assert_eq!(labels.len(), variants.len(), "two variants share a label: {labels:?}");
}

#[test]
fn hosts_and_shaders_agree_on_parameters_and_bindings() {
    for (kernel, dispatch) in dispatches() {
        let shader = shader(&dispatch.shader).unwrap();
        assert_eq!(dispatch.params.len(), shader.param_words, "{kernel}: words of {}", shader.label);
        assert_eq!(dispatch.bindings.len(), shader.storage.len(), "{kernel}: bindings of {}", shader.label);
    }
}

#[test]
fn every_shader_fits_any_adapter() {
    for shader in variants().values() {
        assert!(shader.workgroup <= LARGEST_GROUP, "{}: a workgroup of {}", shader.label, shader.workgroup);
        let texels = shader.storage.iter().filter(|access| **access == Access::Texels).count();
        let buffers = shader.storage.len() - texels;
        assert!(buffers <= MOST_BUFFERS, "{}: {buffers} storage buffers", shader.label);
        assert!(texels <= MOST_TEXTURES, "{}: {texels} textures", shader.label);
        assert!(shader.param_words * 4 <= 4096, "{}: more parameters than a block should hold", shader.label);
        let shared = shader.module.global_variables.iter().filter(|(_, v)| v.space == naga::AddressSpace::WorkGroup);
        let bytes: u32 = shared.map(|(_, v)| shader.module.types[v.ty].inner.size(shader.module.to_ctx())).sum();
        assert!(bytes <= SHARED_BYTES, "{}: {bytes} bytes of workgroup memory", shader.label);
        let [entry] = &shader.module.entry_points[..] else { panic!("{}: one entry point", shader.label) };
        assert_eq!((entry.name.as_str(), entry.stage), ("main", naga::ShaderStage::Compute), "{}", shader.label);
    }
}

#[test]
fn shader_files_are_short() {
    for source in KERNEL_SOURCES.iter().chain(SNIPPET_SOURCES) {
        let lines = source.text.lines().count();
        assert!(lines <= LONGEST, "shaders/{} has {lines} lines, at most {LONGEST} are allowed", source.file);
    }
}

/// Parses the assembled text anew, with no capability beyond those that plans ask devices for.
fn parse(label: &str, source: &str) -> (naga::Module, ModuleInfo) {
    let module =
        naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{label}: {}", e.emit_to_string(source)));
    let info = Validator::new(ValidationFlags::all(), CAPABILITIES)
        .validate(&module)
        .unwrap_or_else(|e| panic!("{label}: {}", e.emit_to_string(source)));
    (module, info)
}

/// Whether a shader needs what [`NATIVE_ONLY`] kernels alone may ask for.
fn is_native_only(key: &ShaderKey, shader: &Shader) -> bool {
    let native = shader.source.contains("coop_mat");
    assert_eq!(native, NATIVE_ONLY.contains(&key.stem), "{}: NATIVE_ONLY says otherwise", shader.label);
    native
}

#[test]
fn every_shader_translates_to_spirv_msl_and_hlsl() {
    for (key, shader) in &variants() {
        let label = &shader.label;
        let (module, info) = parse(label, &shader.source);

        let options = spv::Options { lang_version: (1, 3), ..Default::default() };
        let words = spv::write_vec(&module, &info, &options, None).unwrap_or_else(|e| panic!("{label}: SPIR-V: {e}"));
        assert_eq!(words[0], 0x0723_0203, "{label}: SPIR-V's magic number");

        let options = msl::Options { lang_version: (2, 4), ..Default::default() };
        let (text, translated) = msl::write_string(&module, &info, &options, &msl::PipelineOptions::default())
            .unwrap_or_else(|e| panic!("{label}: MSL: {e}"));
        assert!(text.contains("kernel void"), "{label}: MSL without a kernel");
        assert!(translated.entry_point_names.iter().all(Result::is_ok), "{label}: entry point");

        if is_native_only(key, shader) {
            continue;
        }
        let mut text = String::new();
        let options = hlsl::Options { shader_model: hlsl::ShaderModel::V6_0, ..Default::default() };
        let pipeline = hlsl::PipelineOptions::default();
        let translated = hlsl::Writer::new(&mut text, &options, &pipeline)
            .write(&module, &info, None)
            .unwrap_or_else(|e| panic!("{label}: HLSL: {e}"));
        assert!(translated.entry_point_names.iter().all(Result::is_ok), "{label}: entry point");
        assert!(text.contains("[numthreads("), "{label}: HLSL without an entry point");
    }
}

/// What browsers say: Dawn is the WebGPU of Chrome, and its compiler stricter than naga in places.
#[test]
fn browsers_accept_every_shader() {
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("webgpu/node_modules/webgpu/index.js");
    if !library.is_file() {
        return common::unproved("what browsers say of the shaders: ./check installs the npm package webgpu");
    }
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    let mut file = |label: &str, text: &str| {
        let path = folder.path().join(format!("{label}.wgsl"));
        std::fs::write(&path, text).unwrap();
        files.push(path);
    };
    // What must be refused: a wrong type, and more memory and more invocations than every adapter has.
    file("wrong_type", "@compute @workgroup_size(1) fn main() { let wrong: u32 = 1.5; }");
    file("wrong_memory", "var<workgroup> x: array<f32, 8192>; @compute @workgroup_size(1) fn main() { x[0] = 1.0; }");
    file("wrong_size", "@compute @workgroup_size(512) fn main() { }");
    for shader in variants().iter().filter_map(|(key, shader)| (!is_native_only(key, shader)).then_some(shader)) {
        // naga knows subgroups without the line that browsers demand, and refuses the line.
        let enable = if shader.source.contains("subgroup") { "enable subgroups;\n" } else { "" };
        file(&shader.label, &format!("{enable}{}", shader.source));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kernels/browser.mjs");
    let output = Command::new("node").arg(script).arg(&library).args(&files).output().unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.pop(), Some(&*format!("{} shaders read", files.len())), "{said}{errors}");
    let (probes, refused): (Vec<&str>, Vec<&str>) = lines.into_iter().partition(|line| line.contains("/wrong_"));
    assert_eq!(probes.len(), 3, "Dawn accepts what is wrong: {probes:?}");
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    println!("Dawn accepts {} shaders", files.len() - probes.len());
}
