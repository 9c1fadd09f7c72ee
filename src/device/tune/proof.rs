//! The proof that a candidate must pass before it may be chosen: agreement with its f64 twin on varied
//! data of the kind its own cases have. Some drivers compute silently wrong results.

use std::collections::HashMap;

use crate::threads::prelude::*;

use crate::device::proof::check::{Reference, judge_case, reference};
use crate::device::{CpuDevice, Device, wait};
use crate::error::Result;
use crate::graph::OpRef;
use crate::ops::{Applied, Case, Kernel};
use crate::plan::{DeviceProfile, Site, candidates};
use crate::rng::{Rng, Stream, stream_key};
use crate::tensor::{DType, Data, HostTensor, Shape, Ty};

/// Arithmetic or bytes of a case that the twin gets through in a millisecond or two.
const TWIN_WORK: f64 = 1e6;

/// Magnitudes of the inputs, as ranges of powers of two to multiply each element with. The last is for
/// operations that saturate, such as the sigmoid.
const SPREADS: [[i32; 2]; 3] = [[0, 0], [-8, 8], [-8, 0]];

/// Share of the tolerance that the twin at f32 may need; where it needs more, the data would refuse
/// kernels that are right.
const FAIR: f64 = 0.125;

/// Proves candidates. Keeps the kernels' cases, which take time to make.
pub struct Prover {
    cases: HashMap<&'static str, Vec<Case>>,
    rng: Rng,
}

fn types(case: &Case) -> Vec<Ty> {
    case.inputs.iter().map(HostTensor::ty).collect()
}

impl Default for Prover {
    fn default() -> Self {
        Prover { cases: HashMap::new(), rng: Rng::new(stream_key(0, Stream::Data)) }
    }
}

impl Prover {
    /// The kernel's own cases of an operation.
    fn cases_of(&mut self, op: &OpRef, kernel: &'static dyn Kernel) -> Vec<Case> {
        let all = self.cases.entry(kernel.stem()).or_insert_with(|| kernel.cases());
        let same = |case: &&Case| case.op.name() == op.name() && case.op.attributes() == op.attributes();
        all.iter().filter(same).cloned().collect()
    }

    /// Elements drawn from those of a model, floats each times a power of two of this range.
    fn drawn(&mut self, ty: &Ty, model: &HostTensor<f32>, [low, high]: [i32; 2]) -> HostTensor<f32> {
        fn pick<T: Copy>(from: &[T], bits: u32) -> T {
            from[((u64::from(bits) * from.len() as u64) >> 32) as usize]
        }
        let mut bits = || self.rng.next_u32();
        let count = ty.elements();
        let data = match &model.data {
            Data::Real(from) => Data::Real(
                (0..count)
                    .map(|_| {
                        let bits = bits();
                        pick(from, bits) * 2f32.powi(low + (bits & 0xFFFF) as i32 % (high - low + 1))
                    })
                    .collect(),
            ),
            // Row numbers may come in any order; what has the model's length, a clock, means more than that.
            Data::Words(from) if from.len() == count => Data::Words(from.clone()),
            Data::Words(from) => Data::Words((0..count).map(|_| pick(from, bits())).collect()),
            Data::Bytes(from) => Data::Bytes((0..count).map(|_| pick(from, bits())).collect()),
        };
        HostTensor { shape: ty.shape.clone(), data }
    }

    /// The case that inputs are drawn from: the largest of the kernel's own of this operation.
    fn model(&mut self, site: &Site, kernel: &'static dyn Kernel) -> Option<Case> {
        let fits = |case: &Case| {
            let types = types(case);
            types.len() == site.inputs.len() && types.iter().zip(&site.inputs).all(|(a, b)| a.dtype == b.dtype)
        };
        let own = self.cases_of(&site.op, kernel).into_iter().filter(fits);
        own.max_by_key(|case| types(case).iter().map(Ty::elements).sum::<usize>())
    }

    /// Whether inputs can be drawn for every candidate of a site. Where not, only whole plans tell.
    pub fn can_draw(&mut self, site: &Site) -> bool {
        site.candidates.iter().all(|(kernel, _)| self.model(site, *kernel).is_some())
    }

    /// A case of the site's operation on inputs of these types; none if the kernel has none to draw from.
    fn case(&mut self, site: &Site, candidate: usize, inputs: &[Ty], spread: [i32; 2]) -> Option<Case> {
        let (kernel, variant) = site.candidates[candidate];
        let model = self.model(site, kernel)?;
        let inputs = with_data_of(&model, inputs);
        let inputs = inputs.iter().zip(&model.inputs).map(|(ty, model)| self.drawn(ty, model, spread)).collect();
        let (label, op, kernel) = (site.name.clone(), site.op.clone(), Some((kernel.stem(), variant)));
        Some(Case { label, op, inputs, kernel, bench: false, ..model })
    }

    /// The site itself, to be timed.
    pub(in crate::device) fn timing_case(&mut self, site: &Site) -> Option<Case> {
        self.case(site, 0, &site.inputs, SPREADS[0])
    }

    /// What is wrong with a candidate, if anything.
    ///
    /// # Errors
    /// When the device fails, or a case cannot be computed at all.
    pub fn problem(&mut self, device: &mut dyn Device, site: &Site, candidate: usize) -> Result<Option<String>> {
        let full = match self.model(site, site.candidates[candidate].0) {
            Some(model) => with_data_of(&model, &site.inputs),
            None => site.inputs.clone(),
        };
        let shape = affordable(site, candidate, &full, device.profile());
        let mut proofs = self.varied(site, candidate, &shape)?;
        if proofs.is_empty() {
            proofs = self.own(site, candidate, device.profile())?;
        }
        if proofs.is_empty() {
            return Ok(Some("none of the kernel's own cases proves it".into()));
        }
        for (case, reference) in &proofs {
            let report = wait(judge_case(device, case, reference))?;
            if let Some(problem) = report.problem {
                return Ok(Some(format!("{}: {problem}", case.label)));
            }
        }
        if shape == full {
            return Ok(None);
        }
        match self.case(site, candidate, &site.inputs, SPREADS[0]) {
            Some(case) => differs_from_cpu(device, case),
            None => Ok(None),
        }
    }

    /// Cases on data of several magnitudes, as far as f32 can be expected to be close on it.
    fn varied(&mut self, site: &Site, candidate: usize, shape: &[Ty]) -> Result<Vec<(Case, Reference)>> {
        let cases: Vec<Case> = SPREADS.iter().filter_map(|&spread| self.case(site, candidate, shape, spread)).collect();
        let fair = |case: Case| {
            let (case, reference) = referenced(case)?;
            Ok((reference.error_of_f32(&case) <= FAIR).then_some((case, reference)))
        };
        let fair = cases.into_par_iter().map(fair).collect::<Result<Vec<_>>>()?;
        Ok(fair.into_iter().flatten().take(2).collect())
    }

    /// The kernel's own cases of the operation, where the candidate is one of those that compute them.
    fn own(&mut self, site: &Site, candidate: usize, profile: &DeviceProfile) -> Result<Vec<(Case, Reference)>> {
        let (kernel, variant) = site.candidates[candidate];
        let own = self.cases_of(&site.op, kernel).into_iter();
        let computed = own.filter(|case| work(&case.op, &types(case), kernel, variant, profile).is_some());
        let cases: Vec<Case> = computed.map(|case| case.computed_by(kernel.stem(), variant)).collect();
        cases.into_par_iter().map(referenced).collect()
    }
}

/// A case with what it should give.
fn referenced(case: Case) -> Result<(Case, Reference)> {
    let reference = reference(&case)?;
    Ok((case, reference))
}

/// Arithmetic or bytes, whichever are more, of an operation computed by this kernel in this variant; none
/// if the types do not fit or such a device would not compute them so.
fn work(op: &OpRef, inputs: &[Ty], kernel: &dyn Kernel, variant: &str, profile: &DeviceProfile) -> Option<f64> {
    let inputs: Vec<&Ty> = inputs.iter().collect();
    let outputs = op.infer(&inputs).ok()?;
    let outputs: Vec<&Ty> = outputs.iter().collect();
    let applied = Applied { op: op.as_ref(), inputs: &inputs, outputs: &outputs };
    let offered = candidates(&applied, profile, true).ok()?;
    let cost = kernel.cost(&applied.asked_of(kernel, variant).ok()?).ok()?;
    let found = offered.iter().any(|(other, name)| other.stem() == kernel.stem() && *name == variant);
    found.then(|| cost.flops.max(cost.bytes))
}

/// These types with as many rows of bytes, which are a data set, as the model has: its row numbers refer
/// to them, and a whole data set would take its time.
fn with_data_of(model: &Case, inputs: &[Ty]) -> Vec<Ty> {
    let mut inputs = inputs.to_vec();
    for (ty, model) in inputs.iter_mut().zip(&model.inputs) {
        if let (DType::U8, [_, features], [rows, _]) = (ty.dtype, ty.shape.dims(), model.shape.dims()) {
            ty.shape = Shape::new(&[*rows, *features]);
        }
    }
    inputs
}

/// The input types of a site, or smaller ones that the twin affords: each extent with the same remainder,
/// so that every edge is met, and still a shape that the candidate is offered for.
fn affordable(site: &Site, candidate: usize, full: &[Ty], profile: &DeviceProfile) -> Vec<Ty> {
    let (kernel, variant) = site.candidates[candidate];
    let cost = |inputs: &[Ty]| work(&site.op, inputs, kernel, variant, profile);
    let mut shape = full.to_vec();
    for unit in [512, 256, 128, 64] {
        let mut extents: Vec<usize> = shape.iter().flat_map(|ty| ty.shape.dims()).copied().collect();
        extents.sort_unstable();
        extents.dedup();
        for extent in extents.into_iter().rev().filter(|&extent| extent >= 2 * unit) {
            if cost(&shape).is_none_or(|cost| cost <= TWIN_WORK) {
                return shape;
            }
            let replaced = |dims: &[usize]| -> Vec<usize> {
                dims.iter().map(|&dim| if dim == extent { unit + extent % unit } else { dim }).collect()
            };
            let smaller: Vec<Ty> =
                shape.iter().map(|ty| Ty { shape: Shape::new(&replaced(ty.shape.dims())), ..*ty }).collect();
            if cost(&smaller).is_some() {
                shape = smaller;
            }
        }
    }
    shape
}

/// How a case differs from what the CPU device's own kernels make of it, which are quick and proved
/// against the twin themselves. Both round, so twice the tolerance is allowed.
fn differs_from_cpu(device: &mut dyn Device, mut case: Case) -> Result<Option<String>> {
    let cpu: &mut dyn Device = &mut CpuDevice::new();
    let kernel = case.kernel.take();
    let expected = Reference::measured(cpu, &case)?;
    case.kernel = kernel;
    case.tolerance.rtol *= 2.0;
    case.tolerance.atol *= 2.0;
    Ok(wait(judge_case(device, &case, &expected))?.problem.map(|problem| format!("{}: {problem}", case.label)))
}
