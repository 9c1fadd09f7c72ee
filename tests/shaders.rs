//! Every shader in every variant that the kernels' cases launch, as assembled: valid WGSL, translatable
//! to what drivers take, in agreement with its host, within the limits of any adapter.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Arc;

use gpu_ae::ops::{Applied, Dispatch, KERNELS};
use gpu_ae::plan::{DeviceKind, DeviceProfile};
use gpu_ae::shader::{CAPABILITIES, KERNEL_SOURCES, SNIPPET_SOURCES, Shader, ShaderKey, shader};
use gpu_ae::tensor::{HostTensor, Ty};
use naga::back::{hlsl, msl, spv};
use naga::valid::{ModuleInfo, ValidationFlags, Validator};

/// Most lines of a shader file.
const LONGEST: usize = 120;
/// Invocations of a workgroup that every adapter allows.
const LARGEST_GROUP: usize = 256;
/// Storage buffers of a dispatch that every adapter allows.
const MOST_BUFFERS: usize = 8;
/// Bytes of workgroup memory that every adapter allows.
const SHARED_BYTES: u32 = 16 << 10;

/// A device that has everything a kernel may ask for.
fn capable() -> DeviceProfile {
    DeviceProfile { subgroup: Some(32), cooperative_matrix: true, ..DeviceProfile::portable(DeviceKind::Integrated) }
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
        assert!(shader.storage.len() <= MOST_BUFFERS, "{}: {} storage buffers", shader.label, shader.storage.len());
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

#[test]
fn every_shader_translates_to_spirv_msl_and_hlsl() {
    for shader in variants().values() {
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

        // naga's HLSL writer knows no cooperative matrices.
        if shader.source.contains("coop_mat") {
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

/// Runs tint on a file; `None` when there is no such program.
fn tint(file: &std::path::Path) -> Option<Result<(), String>> {
    let output = file.with_extension("out.wgsl");
    match Command::new("tint").args(["--format", "wgsl", "-o"]).arg(output).arg(file).output() {
        Ok(done) if done.status.success() => Some(Ok(())),
        Ok(done) => Some(Err(String::from_utf8_lossy(&done.stderr).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("tint: {error}"),
    }
}

/// What browsers say: tint is the compiler of Chrome, stricter than naga in places.
#[test]
fn tint_accepts_every_shader() {
    let folder = tempfile::tempdir().unwrap();
    let probe = folder.path().join("probe.wgsl");
    std::fs::write(&probe, "@compute @workgroup_size(1) fn main() { let wrong: u32 = 1.5; }").unwrap();
    match tint(&probe) {
        None => return println!("SKIPPED: there is no tint on the PATH"),
        Some(verdict) => assert!(verdict.is_err(), "tint accepts a shader that is wrong"),
    }
    let variants = variants();
    // Browsers know no cooperative matrices.
    for shader in variants.values().filter(|shader| !shader.source.contains("coop_mat")) {
        let file = folder.path().join(format!("{}.wgsl", shader.label));
        // naga knows subgroups without the line that browsers demand, and refuses the line.
        let enable = if shader.source.contains("subgroup_") { "enable subgroups;\n" } else { "" };
        std::fs::write(&file, format!("{enable}{}", shader.source)).unwrap();
        if let Some(Err(problem)) = tint(&file) {
            panic!("{}: tint: {problem}", shader.label);
        }
    }
    println!("tint accepts {} shaders", variants.len());
}
