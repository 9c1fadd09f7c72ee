//! What may differ between devices without changing what is computed: which fusions are applied, and
//! which kernel computes an operation where there are several.

use std::collections::{BTreeMap, BTreeSet};

use super::{DeviceProfile, Fusion};
use crate::error::{Error, Result};
use crate::ops::{Kernel, Request, kernels_for};

/// A way to compute a graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// Fusions to apply.
    pub fusions: BTreeSet<Fusion>,
    /// Kernel and variant, as in `"matmul_shared 64x64"`, by [`Request::site`]. What is not listed gets
    /// the kernel that ranks first on the device.
    pub kernels: BTreeMap<String, String>,
    /// Whether factors of products may be rounded to f16.
    pub mixed: bool,
}

impl Choices {
    /// What is right for most devices of this kind, without measuring.
    pub fn by_kind(profile: &DeviceProfile) -> Self {
        let _ = profile;
        Choices { fusions: Fusion::ELEMENTARY.iter().copied().collect(), ..Self::default() }
    }

    /// One kernel for one operation, whatever its precision; nothing fused.
    pub fn only(site: String, kernel: &str, variant: &str) -> Self {
        Choices { kernels: BTreeMap::from([(site, label(kernel, variant))]), mixed: true, ..Self::default() }
    }

    /// Kernel and variant for a request.
    pub(super) fn kernel(
        &self,
        request: &Request<'_>,
        profile: &DeviceProfile,
    ) -> Result<(&'static dyn Kernel, &'static str)> {
        let all = candidates(request, profile, self.mixed);
        if let Some(wanted) = self.kernels.get(&request.site()) {
            let found = all.iter().find(|(kernel, variant)| label(kernel.stem(), variant) == *wanted);
            return found.copied().ok_or_else(|| {
                Error::graph(request.op.name(), format!("no kernel '{wanted}' computes {} here", request.site()))
            });
        }
        all.first().copied().ok_or_else(|| Error::graph(request.op.name(), "no kernel computes this operation"))
    }
}

/// Kernels and variants that compute a request on a device, the first choice first; those of f16 factors
/// only if `mixed`.
pub fn candidates(
    request: &Request<'_>,
    profile: &DeviceProfile,
    mixed: bool,
) -> Vec<(&'static dyn Kernel, &'static str)> {
    let profile = &DeviceProfile { cooperative_matrix: profile.cooperative_matrix && mixed, ..profile.clone() };
    let mut kernels: Vec<&'static dyn Kernel> = kernels_for(request.op).collect();
    kernels.sort_by_key(|kernel| kernel.rank(request, profile));
    let variants = |kernel: &'static dyn Kernel| {
        kernel.variants(request, profile).into_iter().map(move |variant| (kernel, variant))
    };
    kernels.into_iter().flat_map(variants).collect()
}

/// A kernel and its variant in words.
pub fn label(kernel: &str, variant: &str) -> String {
    if variant.is_empty() { kernel.to_string() } else { format!("{kernel} {variant}") }
}
