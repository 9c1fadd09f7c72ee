//! Memory of plans, judged by a replay that knows nothing of how places are given: every step must find
//! in its inputs what the graph says they are. And the limits of devices.

use std::ops::Range;
use std::sync::Arc;

use crate::common;
use crate::random_graph::random_graph;
use crate::training::{Recipe, training};
use crate::viewed::viewed;
use gpu_ae::device::Device;
use gpu_ae::graph::{Graph, Role, Var};
use gpu_ae::ops::ALIGNMENT;
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::binary::Binary;
use gpu_ae::ops::array::reshape::Reshape;
use gpu_ae::ops::array::unary::Unary;
use gpu_ae::ops::entropy::activeness::{Activeness, Direction};
use gpu_ae::ops::entropy::activeness_grad::{ActivenessGrad, ActivenessGradAdd};
use gpu_ae::ops::matmul::MatMul;
use gpu_ae::ops::step::clock;
use gpu_ae::ops::step::clock_advance::ClockAdvance;
use gpu_ae::plan::fuse;
use gpu_ae::plan::{Choices, DeviceKind, DeviceProfile, Place, Plan};
use gpu_ae::shader::Access;
use gpu_ae::tensor::Ty;

fn profile() -> DeviceProfile {
    DeviceProfile::portable(DeviceKind::Discrete)
}

/// Bytes of one arena.
#[derive(Clone, Debug, PartialEq)]
struct Span(usize, Range<usize>);

impl Span {
    fn of(place: &Place) -> Self {
        Span(place.arena, place.offset..place.offset + place.ty.bytes())
    }
    fn overlaps(&self, other: &Span) -> bool {
        self.0 == other.0 && self.1.start < other.1.end && other.1.start < self.1.end
    }
}

/// Which value lies where; whatever is written ends what it overlaps.
#[derive(Default)]
struct Memory(Vec<(Span, Var)>);

impl Memory {
    fn write(&mut self, span: Span, var: Option<Var>) {
        self.0.retain(|(other, _)| !other.overlaps(&span));
        self.0.extend(var.map(|var| (span, var)));
    }
    fn holds(&self, place: &Place, var: Var) -> bool {
        self.0.contains(&(Span::of(place), var))
    }
}

/// Replays a plan of a graph that needs no more fusing; the first thing wrong with its memory, if any.
fn fault(graph: &Graph, plan: &Plan) -> Option<String> {
    let mut memory = Memory::default();
    for (var, source) in graph.sources() {
        let place = &plan.sources[&source.name].1;
        if memory.0.iter().any(|(span, _)| span.overlaps(&Span::of(place))) {
            return Some(format!("source {} lies over another", source.name));
        }
        memory.write(Span::of(place), Some(var));
    }
    let computed = graph.nodes().iter().enumerate().filter(|(_, node)| node.is_computed());
    for ((index, node), step) in computed.zip(&plan.steps) {
        let name = node.op.name();
        if step.op.name() != name {
            return Some(format!("step {name} is {}", step.op.name()));
        }
        for (place, &var) in step.inputs.iter().zip(&node.inputs) {
            if !memory.holds(place, graph.viewed(var)) {
                return Some(format!("{name} at {index} does not find %{}.{}", var.node, var.port));
            }
        }
        let aliases = node.op.aliases();
        if aliases.iter().any(|&(input, output)| step.inputs[input] != step.outputs[output]) {
            return Some(format!("{name} at {index} does not write in place"));
        }
        for dispatch in &step.dispatches {
            for binding in &dispatch.bindings {
                let span = Span(binding.arena, binding.offset..binding.offset + binding.bytes);
                if span.1.end > plan.arenas[binding.arena].bytes || !binding.offset.is_multiple_of(ALIGNMENT) {
                    return Some(format!("{name} at {index} binds {span:?} of an arena"));
                }
                if dispatch.bindings.iter().any(|b| b.arena == binding.arena && b.access != binding.access) {
                    return Some(format!("{name} at {index} reads and writes an arena in one dispatch"));
                }
                if binding.access == Access::ReadWrite {
                    // Inputs that are not updated in place must survive the step they are read by.
                    let inputs = step.inputs.iter().enumerate();
                    let mut kept = inputs.filter(|(i, _)| !aliases.iter().any(|(input, _)| input == i));
                    let written = step.outputs.iter().any(|place| Span::of(place).overlaps(&span));
                    if kept.any(|(_, place)| Span::of(place).overlaps(&span)) {
                        return Some(format!("{name} at {index} writes over an input"));
                    }
                    if !written {
                        memory.write(span, None);
                    }
                }
            }
        }
        let bindings = || step.dispatches.iter().flat_map(|dispatch| &dispatch.bindings);
        let covers = |place: &Place| {
            let end = place.offset + place.ty.bytes();
            bindings()
                .filter(|b| b.arena == place.arena && b.access == Access::ReadWrite)
                .any(|b| b.offset <= place.offset && end <= b.offset + b.bytes)
        };
        if !step.outputs.iter().all(covers) {
            return Some(format!("no dispatch of {name} at {index} writes an output"));
        }
        for (port, place) in step.outputs.iter().enumerate() {
            memory.write(Span::of(place), Some(Var { node: index, port }));
        }
        if (0..step.outputs.len()).any(|port| !memory.holds(&step.outputs[port], Var { node: index, port })) {
            return Some(format!("outputs of {name} at {index} overlap"));
        }
        for (_, range) in node.op.packed_inputs(node.inputs.len()) {
            let follows = |pair: &[Place]| {
                let end = (pair[0].offset + pair[0].ty.bytes()).next_multiple_of(ALIGNMENT);
                (pair[0].arena, end) == (pair[1].arena, pair[1].offset)
            };
            if !step.inputs[range].windows(2).all(follows) {
                return Some(format!("a group of {name} at {index} does not lie side by side"));
            }
        }
    }
    let lost = graph.results().iter().find(|(name, var)| !memory.holds(&plan.results[name], graph.viewed(*var)));
    if let Some((name, _)) = lost {
        return Some(format!("result {name} was overwritten"));
    }
    // The next run of the same plan must find all sources, changed in place or not at all.
    let gone = plan.sources.iter().find(|(_, (_, place))| !memory.0.iter().any(|(span, _)| *span == Span::of(place)));
    gone.map(|(name, _)| format!("source {name} was overwritten"))
}

/// Graphs as they are planned.
fn graphs() -> Vec<Graph> {
    let random = (0..150).map(|seed| random_graph(seed).0);
    let trained = [Recipe::small(), Recipe::report()].map(|recipe| training(recipe).graph);
    let unfused: Vec<Graph> = random.chain(trained).collect();
    let fused: Vec<Graph> =
        unfused.iter().map(|graph| fuse(graph, &Choices::by_kind(&profile()).fusions, &profile()).unwrap()).collect();
    let through_views = unfused.iter().enumerate().map(|(seed, graph)| viewed(graph, seed as u64)).collect();
    [unfused, fused, through_views].concat()
}

#[test]
fn every_step_finds_its_inputs_in_memory() {
    for (number, graph) in graphs().iter().enumerate() {
        let plan = Plan::unfused("plan", graph, &profile()).unwrap();
        if let Some(problem) = fault(graph, &plan) {
            panic!("graph {number}: {problem}\n{graph}\n{plan}");
        }
    }
}

/// The replay notices a place that is wrong.
#[test]
fn the_replay_can_fail() {
    let graph = fuse(&training(Recipe::small()).graph, &Choices::by_kind(&profile()).fusions, &profile()).unwrap();
    let plan = Plan::unfused("plan", &graph, &profile()).unwrap();
    assert_eq!(fault(&graph, &plan), None);
    for step in 0..plan.steps.len() {
        for output in 0..plan.steps[step].outputs.len() {
            let mut wrong = plan.clone();
            wrong.steps[step].outputs[output].offset += ALIGNMENT;
            assert!(fault(&graph, &wrong).is_some(), "step {step} with an output elsewhere");
            // Steps and bindings agree with each other here, but write into a slot that others use.
            let mut wrong = plan.clone();
            let from = wrong.steps[step].outputs[output].arena;
            let slot = |arena: usize| plan.arenas[arena].name.contains("slot");
            let onto = (0..plan.arenas.len()).filter(|&arena| slot(from) && slot(arena) && arena != from);
            for arena in onto {
                replace(&mut wrong, from, arena);
                assert!(fault(&graph, &wrong).is_some(), "arena {from} laid onto {arena}");
            }
        }
    }
    let mut wrong = plan.clone();
    let binding = &mut wrong.steps[1].dispatches[0].bindings[0];
    binding.access = if binding.access == Access::Read { Access::ReadWrite } else { Access::Read };
    assert!(fault(&graph, &wrong).is_some(), "a binding of the other access");
}

/// Everything of one arena in another.
fn replace(plan: &mut Plan, from: usize, onto: usize) {
    plan.arenas[onto].bytes = plan.arenas[onto].bytes.max(plan.arenas[from].bytes);
    for step in &mut plan.steps {
        let places = step.inputs.iter_mut().chain(&mut step.outputs).map(|place| &mut place.arena);
        let bindings = step.dispatches.iter_mut().flat_map(|dispatch| &mut dispatch.bindings);
        places.chain(bindings.map(|b| &mut b.arena)).filter(|arena| **arena == from).for_each(|arena| *arena = onto);
    }
}

#[test]
fn slots_are_reused() {
    let mut graph = Graph::new();
    let mut value = graph.source(Role::Input, "x", Ty::f32(&[1000]));
    for _ in 0..20 {
        value = graph.apply(Unary::Exp, &[value]).unwrap();
    }
    graph.result("y", value);
    let plan = Plan::new("chain", &graph, &profile()).unwrap();
    let slots = plan.arenas.iter().filter(|arena| arena.name.contains("slot")).count();
    assert_eq!(slots, 2, "a chain alternates between two slots\n{plan}");
}

fn refusal(graph: &Graph) -> String {
    Plan::new("refused", graph, &profile()).expect_err("a value is read after it was overwritten").to_string()
}

#[test]
fn values_are_not_read_after_they_were_overwritten() {
    let advanced = |late: &dyn Fn(&mut Graph, Var)| {
        let mut g = Graph::new();
        let clock = g.source(Role::State, "clock", clock::ty());
        let ring = g.source(Role::State, "ring", Ty::f32(&[4, 2]));
        let term = g.source(Role::Input, "x", Ty::f32(&[]));
        let term = g.apply(Unary::Exp, &[term]).unwrap();
        let advance = Arc::new(ClockAdvance { beta1: 0.9, beta2: 0.999 });
        g.push(advance, &[clock, ring, term]).unwrap();
        late(&mut g, clock);
        g
    };
    assert!(Plan::new("fine", &advanced(&|_, _| {}), &profile()).is_ok());
    let read = refusal(&advanced(&|g, clock| {
        let rows = g.apply(gpu_ae::ops::batch::batch_rows::BatchRows(4), &[clock]).unwrap();
        g.result("rows", rows);
    }));
    assert!(read.contains("clock_advance") && read.contains("batch_rows"), "{read}");
    let wanted = refusal(&advanced(&|g, clock| g.result("before", clock)));
    assert!(wanted.contains("clock_advance") && wanted.contains("before"), "{wanted}");
}

/// What is shown by a view is not overwritten before the view was read, nor is a view of it overwritten.
#[test]
fn views_are_not_read_after_what_they_show_was_overwritten() {
    let stepped = |through: &[bool; 2], late: &dyn Fn(&mut Graph, Var)| {
        let mut g = Graph::new();
        let clock = g.source(Role::State, "clock", clock::ty());
        let ring = g.source(Role::State, "ring", Ty::f32(&[4, 2]));
        let term = g.source(Role::Input, "x", Ty::f32(&[]));
        let dims = g.ty(clock).shape.dims().to_vec();
        let shown = g.apply(Reshape::to(&[4, 4]), &[clock]).unwrap();
        let again = g.apply(Reshape::to(&dims), &[shown]).unwrap();
        let [overwritten, read] = through.map(|through| if through { again } else { clock });
        let advance = Arc::new(ClockAdvance { beta1: 0.9, beta2: 0.999 });
        g.push(advance, &[overwritten, ring, term]).unwrap();
        late(&mut g, read);
        g
    };
    for through in [[true, false], [false, true], [true, true]] {
        assert!(Plan::new("fine", &stepped(&through, &|_, _| {}), &profile()).is_ok());
        // A view that nobody reads is nobody's loss.
        let unread = stepped(&through, &|g, clock| {
            g.apply(Reshape::to(&[2, 8]), &[clock]).unwrap();
        });
        assert!(Plan::unfused("fine", &unread, &profile()).is_ok());
        let read = refusal(&stepped(&through, &|g, clock| {
            let rows = g.apply(gpu_ae::ops::batch::batch_rows::BatchRows(4), &[clock]).unwrap();
            g.result("rows", rows);
        }));
        assert!(read.contains("clock_advance") && read.contains("batch_rows"), "{read}");
        let wanted = refusal(&stepped(&through, &|g, clock| {
            let shown = g.apply(Reshape::to(&[2, 8]), &[clock]).unwrap();
            g.result("before", shown);
        }));
        assert!(wanted.contains("clock_advance") && wanted.contains("before"), "{wanted}");
    }
}

/// A slot is held for as long as a view of what lies in it is read, or wanted.
#[test]
fn a_view_holds_the_slot_of_what_it_shows() {
    let mut g = Graph::new();
    let x = g.source(Role::Input, "x", Ty::f32(&[6, 4]));
    let first = g.apply(Unary::Exp, &[x]).unwrap();
    let shown = g.apply(Reshape::to(&[24]), &[first]).unwrap();
    let second = g.apply(Unary::Exp, &[first]).unwrap();
    let third = g.apply(Unary::Exp, &[second]).unwrap();
    let flat = g.apply(Reshape::to(&[24]), &[third]).unwrap();
    let sum = g.apply(Binary::Add, &[shown, flat]).unwrap();
    g.result("sum", sum);
    let of_source = g.apply(Reshape::to(&[2, 12]), &[x]).unwrap();
    g.result("source", of_source);
    let plan = Plan::unfused("views", &g, &profile()).unwrap();
    assert_eq!(fault(&g, &plan), None, "{plan}");
    let slots = plan.arenas.iter().filter(|arena| arena.name.contains("slot")).count();
    assert_eq!((slots, plan.dispatches()), (3, 4), "{plan}");
    assert_eq!(
        (&plan.results["source"].ty, plan.results["source"].arena),
        (&Ty::f32(&[2, 12]), plan.sources["x"].1.arena)
    );
    assert!(plan.to_string().contains("[24]") && !plan.to_string().contains("reshape"), "{plan}");
}

/// One value as an input that stays and as one that is overwritten.
#[test]
fn a_dispatch_does_not_write_what_it_reads() {
    let mut g = Graph::new();
    let [w, b, da] =
        [("w", &[4, 5][..]), ("b", &[4]), ("da", &[4])].map(|(n, dims)| g.source(Role::Input, n, Ty::f32(dims)));
    let sum = g.apply(Unary::Exp, &[w]).unwrap();
    let grad = ActivenessGrad(Activeness { direction: Direction::Incoming, bias_weight: 1.0 });
    let outputs = g.push(Arc::new(ActivenessGradAdd(grad)), &[sum, b, da, sum, b]).unwrap();
    g.result("dw", outputs[0]);
    let refusal = refusal(&g);
    assert!(refusal.contains("activeness_grad") && refusal.contains("one dispatch"), "{refusal}");
}

#[test]
fn tensors_over_the_binding_limit_are_refused_in_words() {
    let mut g = Graph::new();
    let x = g.source(Role::Input, "x", Ty::f32(&[600, 500]));
    let w = g.source(Role::Param, "w", Ty::f32(&[10, 500]));
    let y = g.apply(MatMul::Nt, &[x, w]).unwrap();
    g.result("y", y);
    let limited = |bytes| DeviceProfile { max_binding: bytes, ..profile() };
    let bytes = 600 * 500 * 4;
    assert!(Plan::new("fits", &g, &limited(bytes)).is_ok());
    let refusal = Plan::new("large", &g, &limited(bytes - 1)).unwrap_err().to_string();
    for part in ["matmul_", "1.1 MiB", "smaller batch"] {
        assert!(refusal.contains(part), "{refusal}");
    }
    let few = DeviceProfile { max_storage_buffers: 2, ..profile() };
    let refusal = Plan::new("buffers", &g, &few).unwrap_err().to_string();
    assert!(refusal.contains("storage buffers") && refusal.contains('2'), "{refusal}");
    let narrow = DeviceProfile { max_workgroup: 1, ..profile() };
    let refusal = Plan::new("narrow", &g, &narrow).unwrap_err().to_string();
    assert!(refusal.contains("workgroup of"), "{refusal}");
}

#[test]
fn long_grids_are_folded() {
    let most = 65_535;
    for groups in [1, 2, most - 1, most, most + 1, 2 * most, 2 * most + 1, 3 * most + 7] {
        let n = groups * 64 - 5;
        let mut g = Graph::new();
        let x = g.source(Role::Input, "x", Ty::f32(&[n]));
        let y = g.apply(Activation::Relu, &[x]).unwrap();
        let z = g.apply(Binary::Add, &[y, x]).unwrap();
        g.result("z", z);
        let profile = DeviceProfile { max_binding: u64::MAX, ..profile() };
        let plan = Plan::new("long", &g, &profile).unwrap();
        for dispatch in plan.steps.iter().flat_map(|step| &step.dispatches) {
            let sides = dispatch.groups.map(|side| side as usize);
            assert!(sides.iter().all(|&side| (1..=most).contains(&side)), "{groups} groups as {sides:?}");
            let total: usize = sides.iter().product();
            assert!((groups..groups + sides[1]).contains(&total), "{groups} groups as {sides:?}");
        }
    }
}

/// Names and elements of parameters.
type Parameters = [(&'static str, usize)];

/// A plan of these parameters, each negated.
fn negated(name: &str, device: &dyn Device, parameters: &Parameters) -> Plan {
    let mut g = Graph::new();
    for (name, elements) in parameters {
        let w = g.source(Role::Param, *name, Ty::f32(&[*elements]));
        let y = g.apply(Unary::Affine { scale: -1.0, shift: 0.0 }, &[w]).unwrap();
        g.result(format!("-{name}"), y);
    }
    Plan::new(name, &g, device.profile()).unwrap()
}

#[test]
fn memory_is_shared_by_plans_that_lay_it_out_alike_and_by_no_others() {
    let first = [("a", 8), ("b", 8)];
    // All of one size. Each with what is said of where it first differs.
    let others: [(&Parameters, [&str; 2]); 4] = [
        (&[("b", 8), ("a", 8)], ["'first' has 'a' there, 32 bytes from byte 0 on", "'second' has 'b' there, 32 bytes"]),
        (&[("a", 8), ("c", 8)], ["'first' has 'b' there, 32 bytes from byte 256 on", "'second' has 'c' there"]),
        (&[("a", 12), ("b", 8)], ["'first' has 'a' there, 32 bytes", "'second' has 'a' there, 48 bytes from byte 0"]),
        (&[("a", 72)], ["'first' has 'a' there, 32 bytes", "'second' has 'a' there, 288 bytes"]),
    ];
    for mut device in common::devices() {
        let device: &mut dyn Device = device.as_mut();
        let plan = negated("first", device, &first);
        let bytes = plan.arenas.iter().find(|arena| arena.name == "params").unwrap().bytes;
        let program = device.load(plan).unwrap();
        let [a, b] = [1.0f32, 2.0].map(|value| [value; 8]);
        device.write(program, "a", bytemuck::cast_slice(&a)).unwrap();
        device.write(program, "b", bytemuck::cast_slice(&b)).unwrap();
        for (other, parts) in others {
            let plan = negated("second", device, other);
            assert_eq!(plan.arenas.iter().find(|arena| arena.name == "params").unwrap().bytes, bytes, "{other:?}");
            let refusal = device.load(plan).unwrap_err().to_string();
            for part in ["params", parts[0], parts[1]] {
                assert!(refusal.contains(part), "{}: {other:?}: {refusal}", device.name());
            }
        }
        // Neither a refusal nor another plan of the same layout changes what lies there.
        let again = device.load(negated("second", device, &first)).unwrap();
        device.run(again, 1).unwrap();
        assert_eq!(device.read_f32(again, "-a").unwrap(), a.map(|x| -x));
        assert_eq!(device.read_f32(again, "-b").unwrap(), b.map(|x| -x));
        // What was cleared binds nobody.
        device.clear();
        device.load(negated("second", device, others[0].0)).unwrap();
    }
}
