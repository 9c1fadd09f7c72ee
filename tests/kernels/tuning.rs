//! What tuning may choose: right candidates only, whole plans included, and every shape judged fairly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::common;
use gpu_ae::config::RunConfig;
use gpu_ae::device::tune::{Path, Prover, Report, Subject, Task};
use gpu_ae::device::{CpuDevice, Device, Identity, Later, ProgramId, Reading, Trace};
use gpu_ae::graph::{Graph, OpRef};
use gpu_ae::model::forward::network;
use gpu_ae::model::graph::{DataShape, training};
use gpu_ae::nn::builder::initial_values;
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::matmul::MatMul;
use gpu_ae::ops::matmul::matmul_nn::LinearInputGrad;
use gpu_ae::ops::matmul::matmul_nt::Linear;
use gpu_ae::ops::matmul::matmul_tn::LinearWeightGrad;
use gpu_ae::ops::step::clock;
use gpu_ae::ops::{Applied, kernel_named};
use gpu_ae::plan::fuse;
use gpu_ae::plan::{Choices, DeviceKind, DeviceProfile, Fusion, Member, Plan, Site, candidates, sites};
use gpu_ae::tensor::Ty;

type Fault = fn(&Plan, &mut [f32]);

/// The CPU device in the shape of an adapter, with a fault in one value.
struct Bent {
    cpu: CpuDevice,
    profile: DeviceProfile,
    value: &'static str,
    fault: Fault,
}

impl Bent {
    fn new(value: &'static str, fault: Fault) -> Self {
        let profile = DeviceProfile { max_binding: u64::MAX, ..DeviceProfile::portable(DeviceKind::Software) };
        Bent { cpu: CpuDevice::new(), profile, value, fault }
    }
}

impl Device for Bent {
    fn name(&self) -> &str {
        "bent"
    }
    fn identity(&self) -> Identity {
        Identity { adapter: "bent".into(), driver: "1".into() }
    }
    fn profile(&self) -> &DeviceProfile {
        &self.profile
    }
    fn load(&mut self, plan: Plan) -> gpu_ae::Result<ProgramId> {
        self.cpu.load(plan)
    }
    fn clear(&mut self) {
        self.cpu.clear();
    }
    fn plan(&self, program: ProgramId) -> &Plan {
        self.cpu.plan(program)
    }
    fn run(&mut self, program: ProgramId, times: u32) -> gpu_ae::Result<()> {
        self.cpu.run(program, times)?;
        let plan = self.cpu.plan(program).clone();
        // Plans of one operation alone have nothing of this name.
        let place = plan.results.get(self.value).or(plan.sources.get(self.value).map(|(_, place)| place));
        let Some(place) = place else { return Ok(()) };
        let cpu: &mut dyn Device = &mut self.cpu;
        let bytes = cpu.read_bytes(program, place.arena, place.offset, place.ty.bytes())?;
        let mut values: Vec<f32> = bytemuck::pod_collect_to_vec(&bytes);
        (self.fault)(&plan, &mut values);
        self.cpu.write_bytes(program, place.arena, place.offset, bytemuck::cast_slice(&values))
    }
    fn run_stretch(&mut self, program: ProgramId, stretch: usize) -> gpu_ae::Result<()> {
        self.cpu.run_stretch(program, stretch)
    }
    fn join(&mut self, member: Member) {
        self.cpu.join(member);
    }
    fn traced(&mut self, program: ProgramId, times: u32) -> Later<'_, Trace> {
        self.cpu.traced(program, times)
    }
    fn write_bytes(&mut self, program: ProgramId, arena: usize, offset: usize, bytes: &[u8]) -> gpu_ae::Result<()> {
        self.cpu.write_bytes(program, arena, offset, bytes)
    }
    fn begin_read(&mut self, program: ProgramId, ranges: &[(usize, usize, usize)]) -> gpu_ae::Result<Reading> {
        self.cpu.begin_read(program, ranges)
    }
}

/// A site with all the candidates that such a device has for it.
fn site(op: OpRef, inputs: &[&[usize]], profile: &DeviceProfile) -> Site {
    let inputs: Vec<Ty> = inputs.iter().map(|dims| Ty::f32(dims)).collect();
    let borrowed: Vec<&Ty> = inputs.iter().collect();
    let outputs = op.infer(&borrowed).unwrap();
    let types: Vec<&Ty> = outputs.iter().collect();
    let applied = Applied { op: op.as_ref(), inputs: &borrowed, outputs: &types };
    let (name, candidates) = (applied.site(), candidates(&applied, profile, false).unwrap());
    assert!(!candidates.is_empty(), "{name}: no kernel");
    Site { name, op, inputs, outputs, candidates, work: 1.0 }
}

/// The products of the default network's outer layers, of an evaluation batch, and ragged ones.
fn products(profile: &DeviceProfile) -> Vec<Site> {
    let linear = |activation, m, n, k| site(Arc::new(Linear(activation)), &[&[m, k], &[n, k], &[n]], profile);
    let back = |activation, m, n, k| site(Arc::new(LinearInputGrad(activation)), &[&[m, k], &[k, n], &[m, n]], profile);
    let weights = |m, n, k| site(Arc::new(LinearWeightGrad), &[&[k, m], &[k, n]], profile);
    vec![
        linear(Activation::Relu, 128, 64, 784),
        linear(Activation::Sigmoid, 128, 784, 64),
        linear(Activation::Sigmoid, 500, 784, 64),
        linear(Activation::Relu, 33, 20, 20),
        back(Activation::Relu, 128, 64, 784),
        back(Activation::Sigmoid, 128, 64, 784),
        weights(64, 784, 128),
        weights(784, 64, 128),
        weights(20, 64, 8191),
        site(Arc::new(MatMul::Nt), &[&[300, 300], &[300, 300]], profile),
    ]
}

#[test]
fn what_is_right_is_admitted_at_every_shape() {
    let mut prover = Prover::default();
    for mut device in common::devices() {
        let profile = device.profile().clone();
        for site in products(&profile) {
            for candidate in 0..site.candidates.len() {
                let problem = prover.problem(device.as_mut(), &site, candidate).unwrap();
                assert_eq!(problem, None, "{} for {} on {}", site.label(candidate), site.name, device.name());
            }
        }
    }
}

#[test]
fn what_is_wrong_is_refused() {
    let faults: [(&str, Fault); 5] = [
        ("a thousandth too large", |_, y| y.iter_mut().for_each(|y| *y *= 1.001)),
        ("not a number", |_, y| y[y.len() / 2] = f32::NAN),
        ("the last element", |_, y| *y.last_mut().unwrap() += 1.0),
        ("half precision", |_, y| {
            y.iter_mut().for_each(|y| *y = f32::from_bits((y.to_bits() + 0x1000) & !0x1FFF));
        }),
        ("large shapes", |_, y| {
            if y.len() >= 128 * 64 {
                y[77] += 0.5;
            }
        }),
    ];
    let mut prover = Prover::default();
    for (label, fault) in faults {
        let mut device = Bent::new("output 0", fault);
        let profile = device.profile.clone();
        for site in products(&profile).iter().filter(|site| site.outputs[0].elements() >= 128 * 64) {
            let problem = prover.problem(&mut device, site, 0).unwrap();
            assert!(problem.is_some(), "{label}: admitted for {}", site.name);
        }
    }
    // A driver that loses large values alone is found by data of several magnitudes.
    let mut device = Bent::new("output 0", |_, y| y.iter_mut().for_each(|y| *y = y.clamp(-2000.0, 2000.0)));
    let relu = site(Arc::new(Linear(Activation::Relu)), &[&[128, 64], &[64, 64], &[64]], &device.profile.clone());
    assert!(prover.problem(&mut device, &relu, 0).unwrap().is_some(), "only unit magnitudes were tried");
}

fn small() -> (RunConfig, Graph) {
    let config = RunConfig { batch_size: 8, ..RunConfig::default() };
    let graph = training(&config, DataShape { rows: 32, features: 784, kind: gpu_ae::data::ValueKind::Byte }).unwrap();
    (config, graph)
}

/// Tunes the default network's step on a bent device, with the static path and the unfused one.
fn tuned(device: &mut Bent, graph: &Graph, budget: Duration) -> Report {
    let path = |name: &str, fusions| Path { name: name.into(), fusions };
    let mut feeds = vec![("clock".to_string(), bytemuck::cast_slice(&clock::start(32, 8, true, 0)).to_vec())];
    for (name, value) in [("learning_rate", 1e-3f32), ("lambda_mse", 0.7), ("lambda_entropy", 0.3)] {
        feeds.push((name.into(), value.to_le_bytes().to_vec()));
    }
    let config = RunConfig::default();
    let parameters = initial_values(&network(&mut Graph::new(), &config, 784).unwrap().parameters, 0);
    feeds.extend(parameters.into_iter().map(|(name, x)| (name, bytemuck::cast_slice(&x).to_vec())));
    feeds.push(("train images".into(), (0..32 * 784u32).map(|i| (i * i % 251) as u8).collect()));
    let fusions = Choices::by_kind(&device.profile).fusions;
    let task = Task {
        subjects: vec![Subject { name: "train", graph, weight: 1.0, feeds }],
        paths: vec![path("static", fusions), path("unfused", BTreeSet::new())],
        known: BTreeMap::new(),
        budget,
        mixed: false,
    };
    task.run(device).unwrap()
}

/// Whether a plan is the unfused one.
fn is_unfused(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| step.op.name() == "add_bias")
}

const MOMENT: &str = "adam.m.autoencoder.1.weight";
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn plans_that_agree_are_admitted_and_plans_that_do_not_are_refused() {
    let (_, graph) = small();
    let mut honest = Bent::new(MOMENT, |_, _| {});
    let report = tuned(&mut honest, &graph, PATIENCE);
    assert_eq!(report.refused, Vec::<String>::new());

    let faults: [(&str, Fault); 2] = [
        ("a gradient is 1 % off", |plan, x| {
            let largest = x.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
            x[5] += if is_unfused(plan) { 0.01 * largest } else { 0.0 };
        }),
        ("a gradient is no number", |plan, x| x[0] = if is_unfused(plan) { f32::NAN } else { x[0] }),
    ];
    for (label, fault) in faults {
        let mut device = Bent::new(MOMENT, fault);
        let report = tuned(&mut device, &graph, PATIENCE);
        assert_eq!(report.choices.fusions, Choices::by_kind(&device.profile).fusions, "{label}: taken");
        let message = report.refused.join("\n");
        assert!(message.contains("plan 'unfused' refused on bent") && message.contains(MOMENT), "{label}: {message}");
    }
}

#[test]
fn without_time_the_static_choice_stays_and_names_a_kernel_for_every_site() {
    let (_, graph) = small();
    let mut device = Bent::new(MOMENT, |_, _| {});
    let report = tuned(&mut device, &graph, Duration::ZERO);
    assert_eq!((report.measured, report.changed), (0, 0));
    let open = sites(&graph, &report.choices.fusions, false, &device.profile).unwrap();
    assert_eq!(report.plan, "plan 'static'");
    assert!(report.left > report.measured, "nothing was left");
    for site in &open {
        assert_eq!(report.choices.kernels[&site.name], site.label(0));
    }
    assert_eq!(report.choices.kernels.len(), open.len());
}

#[test]
fn a_choice_that_the_device_does_not_have_gives_way() {
    let (_, graph) = small();
    let profile = DeviceProfile::portable(DeviceKind::Discrete);
    let fusions = Choices::by_kind(&profile).fusions;
    let resolved = Choices { fusions: fusions.clone(), ..Choices::default() }.resolved(&graph, &profile).unwrap().0;
    for site in resolved.kernels.keys() {
        let kernels = BTreeMap::from([(site.clone(), "matmul_nt no such variant".to_string())]);
        let (again, missing) =
            Choices { fusions: fusions.clone(), kernels, mixed: false }.resolved(&graph, &profile).unwrap();
        assert_eq!(again, resolved);
        assert!(missing[0].contains("no such variant") && missing[0].contains(site.as_str()), "{missing:?}");
    }
}

#[test]
fn fusions_are_called_the_same_in_files_and_in_print() {
    for fusion in Fusion::ELEMENTARY {
        assert_eq!(serde_json::to_string(fusion).unwrap(), format!("\"{}\"", fusion.name()));
    }
    assert!(serde_json::from_str::<Fusion>("\"liner\"").unwrap_err().to_string().contains("linear_input_grad"));
    assert!(kernel_named("matmul_nt").is_some() && kernel_named("matmul_never").is_none());
    let (_, graph) = small();
    let profile = DeviceProfile::portable(DeviceKind::Discrete);
    assert_eq!(fuse(&graph, &BTreeSet::new(), &profile).unwrap().nodes().len(), graph.nodes().len());
}
