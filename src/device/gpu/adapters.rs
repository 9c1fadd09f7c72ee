//! Which devices there are, and which one is meant by `--device`.

use crate::device::{CpuDevice, Device, GpuDevice, Identity};
use crate::error::{Error, Result};
use crate::ops::VECTOR;
use crate::plan::{DeviceKind, DeviceProfile, Member};
use crate::shader::TEXEL_ROW;

/// What `--device` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A discrete, then an integrated adapter, else the CPU device.
    Auto,
    /// Any adapter, software included; never the CPU device.
    Gpu,
    /// The CPU device.
    Cpu,
    /// The adapter of this number in the list of devices.
    Index(usize),
    /// The first adapter whose name contains this, whatever the case.
    Name(String),
}

impl std::str::FromStr for Choice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "" => return Err(Error::Usage("--device: expected auto, gpu, cpu, a number or part of a name".into())),
            "auto" => Choice::Auto,
            "gpu" => Choice::Gpu,
            "cpu" => Choice::Cpu,
            lower => lower.parse().map_or_else(|_| Choice::Name(text.to_string()), Choice::Index),
        })
    }
}

/// An adapter as `gpu-ae devices` shows it.
#[derive(Clone, Debug)]
pub struct AdapterReport {
    /// Name of the adapter.
    pub name: String,
    /// Graphics interface.
    pub backend: String,
    /// Driver and its version.
    pub driver: String,
    /// Kind of adapter.
    pub kind: DeviceKind,
    /// What plans may use.
    pub profile: DeviceProfile,
    /// Names of the features that matter to compute.
    pub features: Vec<String>,
}

fn instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends =
        wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12 | wgpu::Backends::BROWSER_WEBGPU;
    wgpu::Instance::new(descriptor)
}

fn kind(info: &wgpu::AdapterInfo) -> DeviceKind {
    match info.device_type {
        wgpu::DeviceType::DiscreteGpu => DeviceKind::Discrete,
        wgpu::DeviceType::Cpu => DeviceKind::Software,
        _ => DeviceKind::Integrated,
    }
}

/// What an adapter is called: browsers tell no name.
fn called(info: &wgpu::AdapterInfo) -> &str {
    match info.name.as_str() {
        "" if kind(info) == DeviceKind::Software => "software",
        "" => "GPU",
        name => name,
    }
}

/// Order of preference, best first.
fn rank(kind: DeviceKind) -> u8 {
    match kind {
        DeviceKind::Discrete => 0,
        DeviceKind::Integrated => 1,
        DeviceKind::Software => 2,
        DeviceKind::Cpu => 3,
    }
}

/// What cooperative matrices take.
const COOPERATIVE: wgpu::Features =
    wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX.union(wgpu::Features::SHADER_F16).union(wgpu::Features::SUBGROUP);

/// Whether matrices of f16 are multiplied 16 × 16 at a time with sums in f32.
fn is_cooperative(adapter: &wgpu::Adapter) -> bool {
    use wgpu::CooperativeScalarType::{F16, F32};
    adapter.features().contains(COOPERATIVE)
        && adapter.cooperative_matrix_properties().iter().any(|shape| {
            (shape.m_size, shape.n_size, shape.k_size, shape.ab_type, shape.cr_type) == (16, 16, 16, F16, F32)
        })
}

/// The features that kernels and profiles may use: those of them that the adapter has.
fn features(adapter: &wgpu::Adapter) -> wgpu::Features {
    let cooperative = if is_cooperative(adapter) { COOPERATIVE } else { wgpu::Features::empty() };
    (adapter.features() & (wgpu::Features::SUBGROUP | wgpu::Features::TIMESTAMP_QUERY)) | cooperative
}

fn profile(adapter: &wgpu::Adapter) -> DeviceProfile {
    let (limits, info) = (adapter.limits(), adapter.get_info());
    let max_binding = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
    let rows_of_texels = max_binding.div_ceil((TEXEL_ROW * VECTOR) as u64);
    DeviceProfile {
        kind: kind(&info),
        max_binding,
        max_storage_buffers: limits.max_storage_buffers_per_shader_stage,
        max_groups: limits.max_compute_workgroups_per_dimension,
        max_workgroup: limits.max_compute_invocations_per_workgroup,
        max_shared: limits.max_compute_workgroup_storage_size,
        subgroup: (features(adapter).contains(wgpu::Features::SUBGROUP)
            && info.subgroup_min_size == info.subgroup_max_size)
            .then_some(info.subgroup_max_size),
        cooperative_matrix: is_cooperative(adapter),
        texels: kind(&info) == DeviceKind::Software && rows_of_texels <= limits.max_texture_dimension_2d.into(),
        member: Member::ALONE,
    }
}

fn report(adapter: &wgpu::Adapter) -> AdapterReport {
    let info = adapter.get_info();
    let features = adapter.features();
    let known = [
        (wgpu::Features::TIMESTAMP_QUERY, "timestamps"),
        (wgpu::Features::SUBGROUP, "subgroups"),
        (wgpu::Features::SHADER_F16, "f16"),
        (wgpu::Features::PIPELINE_CACHE, "pipeline cache"),
        (wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX, "cooperative matrix"),
    ];
    AdapterReport {
        name: called(&info).to_string(),
        backend: info.backend.to_string(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
        kind: kind(&info),
        profile: profile(adapter),
        features: known.iter().filter(|(bit, _)| features.contains(*bit)).map(|(_, name)| (*name).into()).collect(),
    }
}

/// All adapters, best kind first; the numbers of `--device` count through this list.
async fn enumerate(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    let mut adapters = instance.enumerate_adapters(wgpu::Backends::all()).await;
    adapters
        .retain(|adapter| adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS));
    adapters.sort_by_key(|adapter| rank(kind(&adapter.get_info())));
    adapters
}

/// Every adapter of this machine.
pub async fn adapters() -> Vec<AdapterReport> {
    enumerate(&instance()).await.iter().map(report).collect()
}

async fn open_adapter(adapter: &wgpu::Adapter) -> Result<GpuDevice> {
    let info = adapter.get_info();
    let (device, queue) = adapter
        .request_device(&wgpu::DeviceDescriptor {
            label: Some("gpu-ae"),
            required_features: features(adapter),
            required_limits: adapter.limits(),
            experimental_features: if is_cooperative(adapter) {
                super::experimental_features()
            } else {
                wgpu::ExperimentalFeatures::disabled()
            },
            ..Default::default()
        })
        .await
        .map_err(|error| Error::Device(format!("{}: cannot be opened: {error}", info.name)))?;
    let driver = if info.driver.is_empty() { String::new() } else { format!(", {}", info.driver) };
    let name = format!("{} ({}{driver})", called(&info), info.backend);
    let identity = Identity {
        adapter: format!("{}, {}", called(&info), info.backend),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
    };
    Ok(GpuDevice::new(name, identity, profile(adapter), device, queue))
}

/// Fewer bytes of addresses than this may be too few for a driver and the compiler that it brings.
const FEW_ADDRESSES: u64 = 2 << 30;

/// Why there is no adapter, as far as can be told: what each interface says, and what keeps drivers from being loaded.
pub async fn absence() -> String {
    let said = match instance().request_adapter(&wgpu::RequestAdapterOptions::default()).await {
        Ok(adapter) => format!("{} computes nothing", adapter.get_info().name),
        Err(error) => {
            let error = error.to_string();
            let parts = error.rsplit("; ").next().unwrap_or_default().split(", ");
            let asked = parts.filter(|part| !part.contains("not requested") && !part.contains("not compiled"));
            asked.collect::<Vec<_>>().join(", ")
        }
    };
    let hint = if cfg!(target_os = "linux") { "; VK_LOADER_DEBUG=error shows why a driver was not loaded" } else { "" };
    let limit = address_limit().filter(|bytes| *bytes < FEW_ADDRESSES).map_or(String::new(), |bytes| {
        let megabytes = bytes / 1_000_000;
        format!("; this process is limited to {megabytes} MB of addresses (ulimit -v), drivers take several hundred")
    });
    format!("{said}{hint}{limit}")
}

/// The limit of this process's address space in bytes, where there is one and the system tells.
#[cfg(all(feature = "native", target_os = "linux"))]
fn address_limit() -> Option<u64> {
    address_limit_of(&std::fs::read_to_string("/proc/self/limits").ok()?)
}

/// Elsewhere nobody says.
#[cfg(not(all(feature = "native", target_os = "linux")))]
fn address_limit() -> Option<u64> {
    None
}

/// The soft limit that Linux's table of them has.
#[cfg(all(feature = "native", target_os = "linux"))]
fn address_limit_of(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn listing(names: &[String]) -> String {
    let lines: Vec<String> = names.iter().enumerate().map(|(i, name)| format!("  {i}: {name}")).collect();
    format!("the adapters of this machine are\n{}", lines.join("\n"))
}

/// Opens the device a choice stands for. The second value is a notice for the user when `auto` passed
/// over a software adapter or found nothing.
///
/// # Errors
/// When no such adapter exists, or it cannot be opened.
pub async fn open(choice: &Choice) -> Result<(Box<dyn Device>, Option<String>)> {
    open_one(choice, 0).await
}

/// The same where several processes each open one of the adapters that are meant, this one that of this number: of the best kind
/// behind one interface, or of those whose name contains what was said; the first again where there are no more.
///
/// # Errors
/// As [`open`].
pub async fn open_one(choice: &Choice, number: usize) -> Result<(Box<dyn Device>, Option<String>)> {
    if *choice == Choice::Cpu {
        return Ok((Box::new(CpuDevice::new()), None));
    }
    let adapters = enumerate(&instance()).await;
    let names: Vec<String> = adapters.iter().map(|adapter| adapter.get_info().name).collect();
    let like_first = |adapter: &wgpu::Adapter| {
        let [info, first] = [Some(adapter), adapters.first()].map(|adapter| adapter.map(wgpu::Adapter::get_info));
        let of = |info: Option<wgpu::AdapterInfo>| info.map(|info| (kind(&info), info.backend));
        of(info) == of(first)
    };
    let named = |part: &str| {
        let part = part.to_lowercase();
        move |adapter: &wgpu::Adapter| adapter.get_info().name.to_lowercase().contains(&part)
    };
    let one_of =
        |found: Vec<&'_ wgpu::Adapter>| found.get(number % found.len().max(1)).map(|adapter| (*adapter).clone());
    let found = match choice {
        Choice::Auto => {
            let hardware = adapters.first().filter(|a| rank(kind(&a.get_info())) < rank(DeviceKind::Software));
            if hardware.is_none() {
                let notice = match names.first() {
                    Some(name) => format!(
                        "using the CPU device: the only adapter is software ({name}), which is slower; \
                         --device gpu takes it all the same"
                    ),
                    None => "using the CPU device: no GPU was found".to_string(),
                };
                return Ok((Box::new(CpuDevice::new()) as Box<dyn Device>, Some(notice)));
            }
            one_of(adapters.iter().filter(|adapter| like_first(adapter)).collect())
        }
        Choice::Gpu | Choice::Cpu => one_of(adapters.iter().filter(|adapter| like_first(adapter)).collect()),
        Choice::Index(index) => adapters.get(*index).cloned(),
        Choice::Name(part) => one_of(adapters.iter().filter(|adapter| named(part)(adapter)).collect()),
    };
    let wanted = match choice {
        Choice::Index(index) => format!("--device {index}: no such adapter"),
        Choice::Name(part) => format!("--device {part}: no adapter's name contains this"),
        _ => "--device gpu: no adapter found".to_string(),
    };
    let Some(adapter) = found else {
        let there = match names.is_empty() {
            true => format!("there is no adapter on this machine ({}); --device cpu always works", absence().await),
            false => listing(&names),
        };
        return Err(Error::Device(format!("{wanted}; {there}")));
    };
    Ok((Box::new(open_adapter(&adapter).await?) as Box<dyn Device>, None))
}

#[cfg(all(test, feature = "native", target_os = "linux"))]
mod tests {
    use super::address_limit_of;

    #[test]
    fn a_limit_of_addresses_is_read_from_the_systems_table() {
        let table = |soft: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max processes             63387                63387                processes \n\
                 Max address space         {soft:<20} unlimited            bytes     \n"
            )
        };
        assert_eq!(address_limit_of(&table("307200000")), Some(307_200_000));
        assert_eq!(address_limit_of(&table("unlimited")), None);
        assert_eq!(address_limit_of(""), None);
    }
}
