//! From a plan's steps to the CPU device's own order: operations on rows gathered into one region, with
//! the weight gradients of its values.
//!
//! Steps that need nothing of the region come before it, those that need it after it. Where that order
//! would show, since a place in memory is used twice, every step stays where it is.

use std::collections::{HashMap, HashSet};

use super::block::{RowOp, Shard, Value};
use super::job::Job;
use super::kernels::product::Strips;
use super::kernels::wide_rows::{is_alone, is_wide};
use super::memory::Span;
use super::region::{Export, Parts, Region, Total, Weight, block_rows};
use super::rows::{RowStep, Rows, batch, rows_of};
use super::step::Lone;
use crate::ops::loss::reconstruction_loss_grad::{LossParts, ReconstructionLossGrad};
use crate::ops::matmul::matmul_nt::Linear;
use crate::plan::{Place, Plan};
use crate::tensor::DType;

/// A plan's jobs, given the memory of each of its arenas, and how many of them come before each of its pauses.
pub(in crate::device) fn jobs(plan: &Plan, arenas: &[usize]) -> (Vec<Job>, Vec<usize>) {
    let flow = Flow::new(plan, arenas);
    let Some([before, rows, gradients, after]) = flow.order() else {
        return (one_by_one(plan, arenas), plan.pauses.iter().map(|pause| pause.steps).collect());
    };
    let mut jobs: Vec<Job> = before.into_iter().map(|step| flow.single(step)).collect();
    // What goes through memory once gains nothing from blocks.
    match gradients.is_empty() && rows.iter().all(|&step| is_alone(&plan.steps[step])) {
        true => jobs.extend(rows.into_iter().map(|step| flow.single(step))),
        false => jobs.push(flow.region(&[rows, gradients].concat())),
    }
    let pauses = plan.pauses.iter().map(|pause| jobs.len() + after.partition_point(|&step| step < pause.steps));
    let pauses = pauses.collect();
    jobs.extend(after.into_iter().map(|step| flow.single(step)));
    (jobs, pauses)
}

/// A job for each step of a plan, in the plan's order: slower, to see what each takes.
pub(in crate::device) fn one_by_one(plan: &Plan, arenas: &[usize]) -> Vec<Job> {
    let flow = Flow::new(plan, arenas);
    (0..plan.steps.len()).map(|step| flow.single(step)).collect()
}

/// Which output a place holds when it is read: (step, port).
type Writer = (usize, usize);

struct Flow<'a> {
    plan: &'a Plan,
    arenas: &'a [usize],
    /// Writer of every input of every step; `None` for what comes from outside.
    writers: Vec<Vec<Option<Writer>>>,
    /// Outputs that are wanted when all is done.
    results: HashSet<Writer>,
    /// Rows of a block.
    block_rows: usize,
}

impl<'a> Flow<'a> {
    fn new(plan: &'a Plan, arenas: &'a [usize]) -> Self {
        let key = |place: &Place| (place.arena, place.offset);
        let mut latest = HashMap::new();
        let mut writers = Vec::new();
        for (number, step) in plan.steps.iter().enumerate() {
            writers.push(step.inputs.iter().map(|place| latest.get(&key(place)).copied()).collect());
            latest.extend(step.outputs.iter().enumerate().map(|(port, place)| (key(place), (number, port))));
        }
        let results = plan.results.values().filter_map(|place| latest.get(&key(place)).copied()).collect();
        let weights = plan.steps.iter().filter(|step| step.op.downcast::<Linear>().is_some());
        let weights = weights.map(|step| step.inputs[1].ty.shape.elements()).sum();
        Flow { plan, arenas, writers, results, block_rows: block_rows(weights) }
    }

    fn span(&self, place: &Place) -> Span {
        Span::of(place, self.arenas)
    }

    /// Steps before the region, its operations on rows, its gradients, and the steps after it; `None` when
    /// there is nothing to gather or the order of the plan must be kept.
    fn order(&self) -> Option<[Vec<usize>; 4]> {
        let steps = &self.plan.steps;
        let rows = batch(steps.iter().find(|step| matches!(rows_of(step), Rows::Each(_)))?);
        let mut part = vec![0; steps.len()];
        for (number, step) in steps.iter().enumerate() {
            let writers = &self.writers[number];
            let needs = |inputs: &mut dyn Iterator<Item = usize>| {
                inputs.filter_map(|input| writers[input]).map(|(step, _)| part[step]).max().unwrap_or(0)
            };
            // A row of a value of the region will be there in time; its gradients and totals will not.
            part[number] = match rows_of(step) {
                // What others have a share in is there behind the pause.
                _ if self.plan.pauses.first().is_some_and(|pause| pause.steps <= number) => 3,
                Rows::Each(of) if batch(step) == rows => {
                    let own = of.inputs();
                    let others = needs(&mut (0..step.inputs.len()).filter(|input| !own.contains(input)));
                    if others == 0 && needs(&mut own.iter().copied()) <= 1 { 1 } else { 3 }
                }
                Rows::Gradient if batch(step) == rows && needs(&mut (0..2)) <= 1 => 2,
                _ if needs(&mut (0..step.inputs.len())) > 0 => 3,
                _ => 0,
            };
        }
        let order = [0, 1, 2, 3].map(|p| (0..steps.len()).filter(|&step| part[step] == p).collect::<Vec<_>>());
        self.keeps_order(&part).then_some(order)
    }

    /// Whether steps that change their order share no place that one of them writes.
    fn keeps_order(&self, part: &[usize]) -> bool {
        let inside = |step: usize| part[step] == 1 || part[step] == 2;
        let spans: Vec<[Vec<Span>; 2]> = (0..part.len())
            .map(|number| {
                let step = &self.plan.steps[number];
                let is_private = |writer: &Option<Writer>| writer.is_some_and(|(step, _)| part[step] == 1);
                let reads = step.inputs.iter().zip(&self.writers[number]);
                let reads = reads.filter(|(_, writer)| !(inside(number) && is_private(writer)));
                let writes = step.outputs.iter().enumerate();
                let writes = writes.filter(|(port, _)| part[number] != 1 || self.leaves((number, *port), part));
                [
                    reads.map(|(place, _)| self.span(place)).collect(),
                    writes.map(|(_, place)| self.span(place)).collect(),
                ]
            })
            .collect();
        let meet = |a: &[Span], b: &[Span]| a.iter().any(|a| b.iter().any(|b| a.overlaps(*b)));
        (0..part.len()).all(|late| {
            // Steps of the region take turns, so that any two of them change their order.
            let swaps = |early: &usize| part[*early] > part[late] || (inside(*early) && inside(late));
            (0..late).filter(swaps).all(|early| {
                let ([reads, writes], [other_reads, other_writes]) = (&spans[early], &spans[late]);
                !meet(writes, other_writes) && !meet(writes, other_reads) && !meet(reads, other_writes)
            })
        })
    }

    /// Whether a value of the region is needed outside of it.
    fn leaves(&self, value: Writer, part: &[usize]) -> bool {
        let read = |(step, writers): (usize, &Vec<Option<Writer>>)| {
            part[step] != 1 && part[step] != 2 && writers.contains(&Some(value))
        };
        self.results.contains(&value) || self.writers.iter().enumerate().any(read)
    }

    fn single(&self, step: usize) -> Job {
        match rows_of(&self.plan.steps[step]) {
            Rows::Each(_) if is_wide(&self.plan.steps[step]) => self.lone(step),
            Rows::Each(_) | Rows::Gradient => self.region(&[step]),
            Rows::None => self.lone(step),
        }
    }

    fn lone(&self, step: usize) -> Job {
        Job::Lone(Box::new(Lone::new(&self.plan.steps[step], self.arenas)))
    }

    /// A region of operations on rows, and the gradients of their values behind them.
    fn region(&self, members: &[usize]) -> Job {
        let parts = Parts { block_rows: self.block_rows, ..Parts::default() };
        let mut builder = Builder { flow: self, members, parts, values: HashMap::new() };
        for &step in members {
            match rows_of(&self.plan.steps[step]) {
                Rows::Each(of) => builder.add_rows(step, of),
                Rows::Gradient => builder.add_gradient(step),
                // No step of this kind is ever a member.
                Rows::None => {}
            }
        }
        Job::Region(Box::new(Region::new(batch(&self.plan.steps[members[0]]), builder.parts)))
    }
}

struct Builder<'a> {
    flow: &'a Flow<'a>,
    members: &'a [usize],
    parts: Parts,
    /// Number of the value that an output of a member is.
    values: HashMap<Writer, usize>,
}

impl Builder<'_> {
    fn value(&mut self, columns: usize) -> usize {
        let value = Value::behind(&self.parts.values, self.parts.block_rows, columns);
        self.parts.values.push(value);
        self.parts.values.len() - 1
    }

    /// The value that an input is, brought in if it comes from elsewhere.
    fn input(&mut self, step: usize, input: usize) -> usize {
        if let Some(value) = self.flow.writers[step][input].and_then(|writer| self.values.get(&writer)) {
            return *value;
        }
        let place = &self.flow.plan.steps[step].inputs[input];
        let columns = place.ty.shape.dims().get(1).copied().unwrap_or(1);
        let to = self.value(columns);
        self.parts.ops.push(RowOp::Import { from: self.flow.span(place), to });
        to
    }

    fn is_read_elsewhere(&self, writer: Writer, reader: usize) -> bool {
        let reads = |(step, writers): (usize, &Vec<Option<Writer>>)| step != reader && writers.contains(&Some(writer));
        self.flow.results.contains(&writer) || self.flow.writers.iter().enumerate().any(reads)
    }

    /// A new value for an output, exported where somebody else needs it.
    fn output(&mut self, step: usize, port: usize) -> usize {
        let place = &self.flow.plan.steps[step].outputs[port];
        let value = self.value(place.ty.shape.dims().get(1).copied().unwrap_or(1));
        self.name(step, port, value);
        value
    }

    fn name(&mut self, step: usize, port: usize, value: usize) {
        self.values.insert((step, port), value);
        let outside = |(reader, writers): (usize, &Vec<Option<Writer>>)| {
            !self.members.contains(&reader) && writers.contains(&Some((step, port)))
        };
        if self.flow.results.contains(&(step, port)) || self.flow.writers.iter().enumerate().any(outside) {
            let to = self.flow.span(&self.flow.plan.steps[step].outputs[port]);
            self.parts.exports.push(Export { value, to });
        }
    }

    fn weight(&mut self, place: &Place, transposed: bool) -> usize {
        let dims = place.ty.shape.dims();
        let (rows, columns) = if transposed { (dims[1], dims[0]) } else { (dims[0], dims[1]) };
        let strips = Strips::new(rows, columns);
        self.parts.weights.push(Weight { matrix: self.flow.span(place), transposed, strips });
        self.parts.weights.len() - 1
    }

    /// Rows of data from `first` on.
    fn shard(&self, place: &Place, first: u32) -> Shard {
        let rows = place.ty.shape.dims()[0];
        let stride = place.ty.bytes() / 4 / rows.max(1);
        let is_bytes = place.ty.dtype == DType::U8;
        Shard { span: self.flow.span(place), stride, is_bytes, first, rows: rows as u32 }
    }

    fn add_rows(&mut self, number: usize, of: RowStep) {
        let flow = self.flow;
        let step = &flow.plan.steps[number];
        let made = match of {
            RowStep::Numbers => RowOp::Rows { clock: flow.span(&step.inputs[0]), to: self.output(number, 0) },
            RowStep::Gather => {
                let rows = self.input(number, 1);
                RowOp::Gather { data: self.shard(&step.inputs[0], 0), rows, to: self.output(number, 0) }
            }
            RowStep::GatherShards(gather) => {
                let rows = self.input(number, 0);
                let to = self.output(number, 0);
                for (shard, place) in step.inputs[1..].iter().enumerate() {
                    let data = self.shard(place, (shard * gather.shard_rows) as u32);
                    self.parts.ops.push(RowOp::Gather { data, rows, to });
                }
                return;
            }
            RowStep::Linear(activation) => {
                let (x, weight) = (self.input(number, 0), self.weight(&step.inputs[1], true));
                RowOp::Linear { x, weight, bias: flow.span(&step.inputs[2]), activation, to: self.output(number, 0) }
            }
            RowStep::InputGrad(activation) => {
                let (dy, weight) = (self.input(number, 0), self.weight(&step.inputs[1], false));
                let h = self.input(number, 2);
                RowOp::InputGrad { dy, weight, h, activation, to: self.output(number, 0) }
            }
            RowStep::Product { transposed } => {
                let (x, weight) = (self.input(number, 0), self.weight(&step.inputs[1], transposed));
                RowOp::Product { x, weight, to: self.output(number, 0) }
            }
            RowStep::Loss(loss) => return self.add_loss(number, loss),
        };
        self.parts.ops.push(made);
    }

    fn add_loss(&mut self, number: usize, loss: LossParts) {
        let flow = self.flow;
        let step = &flow.plan.steps[number];
        let LossParts { loss, value, gradient } = loss;
        let ReconstructionLossGrad { kind, activation, rows_per_sample } = loss;
        let (mut prediction, target) = (self.input(number, 0), self.input(number, 1));
        // The gradient overwrites the prediction, unless that is needed, or lies before what is read.
        let shared = flow.writers[number][0].is_none_or(|writer| self.is_read_elsewhere(writer, number));
        if shared || target >= prediction {
            let to = self.value(self.parts.values[prediction].layout.columns);
            self.parts.ops.push(RowOp::Copy { from: prediction, to });
            prediction = to;
        }
        if let Some(port) = gradient {
            self.name(number, port, prediction);
        }
        let features = self.parts.values[prediction].layout.columns;
        let to = value.map(|port| flow.span(&step.outputs[port]));
        self.parts.totals.push(Total { kind, features, rows_per_sample, clock: flow.span(&step.inputs[2]), to });
        let seed = gradient.map(|_| flow.span(&step.inputs[3]));
        let total = self.parts.totals.len() - 1;
        self.parts.ops.push(RowOp::Loss { prediction, target, total, activation, seed });
    }

    fn add_gradient(&mut self, number: usize) {
        let step = &self.flow.plan.steps[number];
        let (dy, x) = (self.input(number, 0), self.input(number, 1));
        let db = step.outputs.get(1).map(|place| self.flow.span(place));
        self.parts.gradients.push(&self.parts.values, dy, x, self.flow.span(&step.outputs[0]), db);
    }
}
