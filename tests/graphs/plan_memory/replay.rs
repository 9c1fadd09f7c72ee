//! Memory of plans, judged by a replay that knows nothing of how places are given: every step must find
//! in its inputs what the graph says they are.

use std::ops::Range;

use super::profile;
use crate::random_graph::random_graph;
use crate::training::{Recipe, training};
use crate::viewed::viewed;
use gpu_ae::graph::{Graph, Var};
use gpu_ae::ops::ALIGNMENT;
use gpu_ae::plan::{Choices, Place, Plan, fuse};
use gpu_ae::shader::Access;

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
pub fn fault(graph: &Graph, plan: &Plan) -> Option<String> {
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
                if dispatch.bindings.iter().any(|b| b.arena == binding.arena && b.access.conflicts(binding.access)) {
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
