//! Proof of a kernel on a device: its cases against the f64 twin. Tests and `gpu-ae doctor` share it.

#[cfg(feature = "native")]
use std::time::{Duration, Instant};

pub use super::reference::{Reference, reference};
use crate::device::{Device, Means, ProgramId};
use crate::error::Result;
use crate::graph::{Graph, Role, Var};
use crate::ops::{Applied, Case, Cost, Kernel, Tolerance};
use crate::plan::{Choices, DeviceKind, DeviceProfile, Plan};
use crate::tensor::{HostTensor, Ty};

/// A NaN that no arithmetic produces: what memory holds before a kernel runs, and after its end.
const POISON: u32 = 0x7FC0_DEAD;
/// Words of canary looked at behind every arena.
const CANARY_WORDS: usize = 16;

/// What came out of a case.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// Largest error as a share of what is allowed; above 1 fails.
    pub worst: f64,
    /// What went wrong, if anything.
    pub problem: Option<String>,
    /// Whether the case was computed by its twin at f32 alone: that it agrees proves nothing.
    pub by_twin: bool,
}

/// Compares an output with its reference: |got − expected| ≤ atol + rtol · terms, element by element.
/// Anything that is not a number, or is missing, fails.
pub fn compare(got: &[f32], expected: &[f64], terms: &[f64], tolerance: &Tolerance) -> CaseReport {
    if got.len() != expected.len() || terms.len() != expected.len() {
        let problem = format!("{} elements where {} were expected", got.len(), expected.len());
        return CaseReport { worst: f64::INFINITY, problem: Some(problem), by_twin: false };
    }
    let mut worst = 0.0;
    let mut problem = None;
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(got) - expected).abs();
        let allowed = tolerance.atol + tolerance.rtol * terms[i];
        // An expected infinity or NaN must be met as such; f32 may round large values to infinity.
        let agrees = f64::from(got) == expected || (got.is_nan() && expected.is_nan());
        let share = if agrees {
            0.0
        } else if !error.is_finite() || !allowed.is_finite() || allowed == 0.0 {
            // An infinite allowance would let anything pass, and infinity by infinity is NaN.
            f64::INFINITY
        } else {
            error / allowed
        };
        if share > worst {
            worst = share;
            if share > 1.0 {
                problem = Some(format!(
                    "element {i} is {got:e}, expected {expected:e}: off by {error:.2e}, allowed {allowed:.2e}"
                ));
            }
        }
    }
    CaseReport { worst, problem, by_twin: false }
}

/// The cases of a kernel in every variant that it has on such a device. The CPU device has kernels of its
/// own, so one variant stands for all of them there.
///
/// # Errors
/// When a case's operation refuses its inputs.
pub fn cases(kernel: &'static dyn Kernel, profile: &DeviceProfile) -> Result<Vec<Case>> {
    let mut all = Vec::new();
    for case in kernel.cases() {
        let types: Vec<Ty> = case.inputs.iter().map(HostTensor::ty).collect();
        let inputs: Vec<&Ty> = types.iter().collect();
        let outputs = case.op.infer(&inputs)?;
        let outputs: Vec<&Ty> = outputs.iter().collect();
        let applied = Applied { op: case.op.as_ref(), inputs: &inputs, outputs: &outputs };
        if profile.kind == DeviceKind::Cpu {
            all.push(case);
            continue;
        }
        for variant in kernel.variants(&applied.asked_of(kernel, "")?, profile)? {
            let mut case = case.clone().computed_by(kernel.stem(), variant);
            case.label = format!("{} {variant}", case.label).trim_end().to_string();
            all.push(case);
        }
    }
    Ok(all)
}

/// A case loaded on a device, ready to be run.
pub struct LoadedCase {
    program: ProgramId,
    pub(in crate::device) outputs: Vec<String>,
    /// Arithmetic and traffic of one run.
    pub cost: Cost,
}

impl LoadedCase {
    /// The program, to be run by hand.
    pub fn program(&self) -> ProgramId {
        self.program
    }
}

/// Loads a case, and nothing else, and writes its inputs; every output and every end of memory is
/// poisoned.
///
/// # Errors
/// When the case cannot be planned or the device fails.
pub fn load(device: &mut dyn Device, case: &Case) -> Result<LoadedCase> {
    let mut graph = Graph::new();
    let packed: Vec<_> = case.op.packed_inputs(case.inputs.len()).into_iter().map(|(_, range)| range).collect();
    let groups = [packed, case.op.spanned_inputs(case.inputs.len())].concat();
    let aliased: Vec<usize> = case.op.aliases().iter().map(|(input, _)| *input).collect();
    let sources: Vec<Var> = case
        .inputs
        .iter()
        .enumerate()
        .map(|(i, input)| {
            // Members of a group share an arena; so do inputs that are overwritten together.
            let group = groups.iter().position(|range| range.contains(&i));
            let role = match group {
                Some(0) => Role::Param,
                Some(2) => Role::FirstMoment,
                Some(3) => Role::SecondMoment,
                Some(_) => Role::State,
                None if aliased.contains(&i) => Role::FirstMoment,
                None => Role::Input,
            };
            graph.source(role, format!("input {i}"), input.ty())
        })
        .collect();
    let computed = graph.nodes().len();
    let vars = graph.push(case.op.clone(), &sources)?;
    let outputs: Vec<String> = (0..vars.len()).map(|port| format!("output {port}")).collect();
    for (name, var) in outputs.iter().zip(vars) {
        graph.result(name.clone(), var);
    }
    let choices = case.kernel.map_or_else(Choices::default, |(kernel, variant)| {
        let node = &graph.nodes()[computed];
        let inputs: Vec<&Ty> = node.inputs.iter().map(|&var| graph.ty(var)).collect();
        let outputs: Vec<&Ty> = node.outputs.iter().collect();
        let applied = Applied { op: node.op.as_ref(), inputs: &inputs, outputs: &outputs };
        Choices::only(applied.site(), kernel, variant)
    });
    let plan = Plan::chosen("case", &graph, device.profile(), &choices)?;
    let cost = plan.cost();
    let arenas = plan.arenas.clone();
    device.clear();
    let program = device.load(plan)?;
    for (number, arena) in arenas.iter().enumerate() {
        let poison = vec![POISON; arena.bytes / 4 + CANARY_WORDS];
        device.write_bytes(program, number, 0, bytemuck::cast_slice(&poison))?;
    }
    for (i, input) in case.inputs.iter().enumerate() {
        device.write(program, &format!("input {i}"), &input.to_device_bytes())?;
    }
    Ok(LoadedCase { program, outputs, cost })
}

/// Runs a case once and judges it.
///
/// # Errors
/// When the case cannot be planned or the device fails; a wrong result is a report, not an error.
pub async fn run_case(device: &mut dyn Device, case: &Case) -> Result<CaseReport> {
    judge_case(device, case, &reference(case)?).await
}

/// Runs a case once and judges it by a reference made before.
///
/// # Errors
/// As [`run_case`].
pub async fn judge_case(device: &mut dyn Device, case: &Case, reference: &Reference) -> Result<CaseReport> {
    let loaded = load(device, case)?;
    device.run(loaded.program, 1)?;
    let mut report = CaseReport { worst: 0.0, problem: None, by_twin: false };
    for (port, name) in loaded.outputs.iter().enumerate() {
        let one = reference.judge(port, &device.fetch_one(loaded.program, name).await?, &case.tolerance);
        if one.worst > report.worst {
            report = one;
        }
    }
    if let Some(problem) = overrun(device, loaded.program).await? {
        report = CaseReport { worst: f64::INFINITY, problem: Some(problem), by_twin: false };
    }
    let by_twin = device.means(loaded.program).iter().all(|means| *means == Means::Twin);
    Ok(CaseReport { by_twin, ..report })
}

/// Whether anything wrote behind the end of an arena.
async fn overrun(device: &mut dyn Device, program: ProgramId) -> Result<Option<String>> {
    let arenas = device.plan(program).arenas.clone();
    for (number, arena) in arenas.iter().enumerate() {
        let reading = device.begin_read(program, &[(number, arena.bytes, CANARY_WORDS * 4)])?;
        let tail = device.receive(reading).await?;
        if bytemuck::pod_collect_to_vec::<u8, u32>(&tail).iter().any(|&word| word != POISON) {
            return Ok(Some(format!("something was written behind the end of '{}'", arena.name)));
        }
    }
    Ok(None)
}

/// Time of one run of a loaded case: the shortest of several rounds of runs back to back, for about
/// `budget` in all.
///
/// # Errors
/// When the device fails.
#[cfg(feature = "native")]
pub fn time_case(device: &mut dyn Device, case: &LoadedCase, budget: Duration) -> Result<Duration> {
    device.run(case.program, 1)?;
    device.finish()?;
    let mut runs = 1;
    let mut best = Duration::MAX;
    let begin = Instant::now();
    while begin.elapsed() < budget {
        let start = Instant::now();
        device.run(case.program, runs)?;
        device.finish()?;
        let round = start.elapsed();
        best = best.min(round / runs);
        if round < budget / 8 {
            runs *= 2;
        }
    }
    Ok(best)
}
