//! What may differ between devices without changing what is computed: which fusions are applied, and
//! which kernel computes an operation where there are several.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{DeviceKind, DeviceProfile, Fusion};
use crate::error::{Error, Result};
use crate::ops::{Applied, KERNELS, Kernel, kernel_named, kernels_for};

/// A way to compute a graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choices {
    /// Fusions to apply.
    pub fusions: BTreeSet<Fusion>,
    /// Kernel and variant, as in `"matmul_shared 64x64"`, by [`Applied::site`]. What is not listed gets
    /// the kernel that ranks first on the device.
    pub kernels: BTreeMap<String, String>,
    /// Whether factors of products may be rounded to f16.
    #[serde(default)]
    pub mixed: bool,
}

impl Choices {
    /// What is right for most devices of this kind, without measuring.
    pub fn by_kind(profile: &DeviceProfile) -> Self {
        let more: &[Fusion] = match profile.kind {
            DeviceKind::Discrete | DeviceKind::Integrated => Fusion::FOR_HARDWARE,
            DeviceKind::Software if profile.texels => Fusion::FOR_TEXELS,
            DeviceKind::Software => Fusion::FOR_SOFTWARE,
            DeviceKind::Cpu => &[],
        };
        let fusions = Fusion::ELEMENTARY.iter().chain(more).copied().collect();
        Choices { fusions, ..Self::default() }
    }

    /// The small-network path, for a network that fits in workgroup memory; other graphs get the fusions of
    /// [`Choices::by_kind`] that it is built on.
    pub fn small_network() -> Self {
        let more = [Fusion::GatherPrologue, Fusion::Entropies, Fusion::SmallNetwork];
        Choices { fusions: Fusion::ELEMENTARY.iter().chain(&more).copied().collect(), ..Self::default() }
    }

    /// One kernel for one operation, whatever its precision; nothing fused.
    pub fn only(site: String, kernel: &str, variant: &str) -> Self {
        Choices { kernels: BTreeMap::from([(site, label(kernel, variant))]), mixed: true, ..Self::default() }
    }

    /// Refuses kernels that this program does not have, as a file of another version may name.
    ///
    /// # Errors
    /// For the first such kernel; the message lists those there are.
    pub fn check(&self) -> Result<()> {
        for (site, chosen) in &self.kernels {
            let stem = chosen.split(' ').next().unwrap_or_default();
            if kernel_named(stem).is_none() {
                let known: Vec<&str> = KERNELS.iter().map(|kernel| kernel.stem()).collect();
                let problem = format!("there is no kernel '{stem}'; there are {}", known.join(", "));
                return Err(Error::graph(site.as_str(), problem));
            }
        }
        Ok(())
    }

    /// Kernel and variant for an operation.
    pub(super) fn kernel(
        &self,
        applied: &Applied<'_>,
        profile: &DeviceProfile,
    ) -> Result<(&'static dyn Kernel, &'static str)> {
        let all = candidates(applied, profile, self.mixed)?;
        if let Some(wanted) = self.kernels.get(&applied.site()) {
            let found = all.iter().find(|(kernel, variant)| label(kernel.stem(), variant) == *wanted);
            return found.copied().ok_or_else(|| {
                Error::graph(applied.op.name(), format!("no kernel '{wanted}' computes {} here", applied.site()))
            });
        }
        all.first().copied().ok_or_else(|| Error::graph(applied.op.name(), "no kernel computes this operation"))
    }
}

/// Kernels and variants that compute an operation on a device, the first choice first; those of f16 factors
/// only if `mixed`.
///
/// # Errors
/// When a kernel does not know an operation that it claims to compute.
pub fn candidates(
    applied: &Applied<'_>,
    profile: &DeviceProfile,
    mixed: bool,
) -> Result<Vec<(&'static dyn Kernel, &'static str)>> {
    let profile = &DeviceProfile { cooperative_matrix: profile.cooperative_matrix && mixed, ..profile.clone() };
    let mut ranked: Vec<(u8, &'static dyn Kernel)> = Vec::new();
    for kernel in kernels_for(applied.op) {
        ranked.push((kernel.rank(&applied.asked_of(kernel, "")?, profile)?, kernel));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut candidates = Vec::new();
    for (_, kernel) in ranked {
        let variants = kernel.variants(&applied.asked_of(kernel, "")?, profile)?;
        candidates.extend(variants.into_iter().map(|variant| (kernel, variant)));
    }
    Ok(candidates)
}

/// A kernel and its variant in words.
pub fn label(kernel: &str, variant: &str) -> String {
    if variant.is_empty() { kernel.to_string() } else { format!("{kernel} {variant}") }
}
