//! Parameters as a list, made by a builder: whoever starts, ties, freezes, stores or moves parameters iterates it.

use std::collections::BTreeMap;

use super::order::FileOrder;
use crate::graph::{Graph, Role, Var};
use crate::ops::step::decayed::is_weight;
use crate::rng::{Rng, Stream, stream_key};
use crate::tensor::Ty;

/// What a parameter begins with.
#[derive(Clone, Debug, PartialEq)]
pub enum Init {
    /// All the same.
    Constant(f32),
    /// Rows that are all these.
    Rows(Vec<f32>),
    /// A square matrix, its rows one behind the other: one number on its diagonal, another one beside it.
    Diagonal {
        /// Of a row and the column of the same number.
        on: f32,
        /// Everywhere else.
        off: f32,
    },
    /// Uniform in ±`bound`, drawn from `stream` behind the parameters before it.
    Uniform {
        /// Where draws end.
        bound: f32,
        /// The sequence they are taken from.
        stream: Stream,
        /// Draws that are thrown away behind them, so that what comes behind does not depend on a part that this
        /// network lacks.
        skipped: usize,
    },
}

/// A parameter of a model, or a buffer of its own: kept and stored, but moved by no optimiser.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name, as PyTorch would have it: `autoencoder.1.weight`.
    pub name: String,
    /// Its value in the graph.
    pub var: Var,
    /// Its type.
    pub ty: Ty,
    /// What it begins with.
    pub init: Init,
    /// Whether an optimiser moves it.
    pub trained: bool,
    /// Whether it is no parameter but something else that is kept, such as a running average.
    pub is_buffer: bool,
    /// The parameter whose transpose it is, brought into line after every step.
    pub tied: Option<String>,
    /// How it lies in files, where that is not as it lies on a device.
    pub order: Option<FileOrder>,
}

impl Parameter {
    /// Whether it is a layer's weight, and neither a bias nor of a normalisation nor a buffer: what decays where not all do.
    pub fn is_weight(&self) -> bool {
        !self.is_buffer && is_weight(&self.ty)
    }
}

/// Adds parameters to a graph under names that tell where they belong.
#[derive(Debug)]
pub struct Builder<'g> {
    /// The graph.
    pub graph: &'g mut Graph,
    scope: Vec<String>,
    parameters: Vec<Parameter>,
    frozen: bool,
    counted: usize,
    /// Values that stand for parameters of these names.
    given: &'g [(String, Var)],
    /// Whether others learn from the rest of every batch.
    pub(super) has_others: bool,
}

impl<'g> Builder<'g> {
    /// A builder without a parameter.
    pub fn new(graph: &'g mut Graph) -> Self {
        Self::over(graph, &[])
    }

    /// The same where the graph has values already that stand for the parameters of these names, as they have become.
    pub fn over(graph: &'g mut Graph, given: &'g [(String, Var)]) -> Self {
        Builder {
            graph,
            scope: Vec::new(),
            parameters: Vec::new(),
            frozen: false,
            counted: 0,
            given,
            has_others: false,
        }
    }

    /// What `build` makes has names that begin with `scope` and a dot.
    pub fn within<R>(&mut self, scope: impl ToString, build: impl FnOnce(&mut Self) -> R) -> R {
        self.scope.push(scope.to_string());
        let built = build(self);
        self.scope.pop();
        built
    }

    /// What `build` makes is not trained.
    pub fn frozen<R>(&mut self, frozen: bool, build: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.frozen;
        self.frozen |= frozen;
        let built = build(self);
        self.frozen = before;
        built
    }

    /// A parameter that is trained, unless what is built is frozen.
    pub fn parameter(&mut self, name: &str, dims: &[usize], init: Init) -> Var {
        let trained = !self.frozen;
        self.add(name, dims, init, [trained, false], None)
    }

    /// The same of one that lies otherwise in files.
    pub fn parameter_in(&mut self, name: &str, dims: &[usize], init: Init, order: FileOrder) -> Var {
        let var = self.parameter(name, dims, init);
        self.set_order(var, Some(order));
        var
    }

    /// Says how a parameter lies in files.
    pub fn set_order(&mut self, var: Var, order: Option<FileOrder>) {
        if let Some(parameter) = self.parameters.iter_mut().find(|parameter| parameter.var == var) {
            parameter.order = order;
        }
    }

    /// A value that is kept and stored like a parameter but moved by no optimiser, such as a running average.
    pub fn buffer(&mut self, name: &str, dims: &[usize], init: Init) -> Var {
        self.add(name, dims, init, [false, true], None)
    }

    /// A matrix that is the transpose of the parameter named `of`. It draws what it would begin with all the same, so
    /// that what comes behind it does not depend on tying.
    pub fn tied(&mut self, name: &str, dims: &[usize], init: Init, of: &str) -> Var {
        self.add(name, dims, init, [false, false], Some(of.to_string()))
    }

    /// The whole name of a parameter here.
    pub fn name(&self, name: &str) -> String {
        self.scope.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(".")
    }

    /// Where the builder is: what the names of parameters made now begin with.
    pub fn scope(&self) -> String {
        self.scope.join(".")
    }

    /// A number that no other part of this network has.
    pub fn number(&mut self) -> usize {
        self.counted += 1;
        self.counted - 1
    }

    /// The parameters so far.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// All of them.
    pub fn finish(self) -> Vec<Parameter> {
        self.parameters
    }

    fn add(
        &mut self,
        name: &str,
        dims: &[usize],
        init: Init,
        [trained, is_buffer]: [bool; 2],
        tied: Option<String>,
    ) -> Var {
        let (name, ty) = (self.name(name), Ty::f32(dims));
        let role = if trained { Role::Param } else { Role::Buffer };
        let var = match self.given.iter().find(|(given, _)| *given == name) {
            Some((_, var)) => *var,
            None => self.graph.source(role, name.clone(), ty.clone()),
        };
        self.parameters.push(Parameter { name, var, ty, init, trained, is_buffer, tied, order: None });
        var
    }
}

/// The elements of a matrix of so many columns with rows and columns exchanged.
pub fn transposed(matrix: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| matrix.iter().skip(column).step_by(columns)).copied().collect()
}

/// Values that parameters begin with, in order, for a seed.
pub fn initial_values(parameters: &[Parameter], seed: u64) -> Vec<(String, Vec<f32>)> {
    let mut sequences: BTreeMap<u32, Rng> = BTreeMap::new();
    let mut values: Vec<(String, Vec<f32>)> = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let count = parameter.ty.elements();
        let drawn = match parameter.init {
            Init::Constant(value) => vec![value; count],
            Init::Rows(ref row) => row.iter().copied().cycle().take(count).collect(),
            Init::Diagonal { on, off } => {
                let columns = count.isqrt().max(1);
                let is_on = |place: usize| place / columns == place % columns;
                (0..count).map(|place| if is_on(place) { on } else { off }).collect()
            }
            Init::Uniform { bound, stream, skipped } => {
                let rng = sequences.entry(stream as u32).or_insert_with(|| Rng::new(stream_key(seed, stream)));
                let drawn = (0..count).map(|_| rng.range(-bound, bound)).collect();
                for _ in 0..skipped {
                    rng.next_u32();
                }
                drawn
            }
        };
        let of = parameter.tied.as_ref().and_then(|of| values.iter().find(|(name, _)| name == of));
        let value = match (of, parameter.ty.shape.matrix()) {
            (Some((_, of)), Some((rows, _))) => transposed(of, rows),
            _ => drawn,
        };
        values.push((parameter.name.clone(), value));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uniform(skipped: usize) -> Init {
        Init::Uniform { bound: 0.5, stream: Stream::Init, skipped }
    }

    #[test]
    fn names_roles_and_values_follow_the_list() {
        let mut graph = Graph::new();
        let mut b = Builder::new(&mut graph);
        b.within("net", |b| {
            b.within(1, |b| b.parameter("weight", &[2, 3], uniform(0)));
            b.frozen(true, |b| b.parameter("bias", &[2], uniform(1)));
            b.tied("back", &[3, 2], uniform(0), "net.1.weight");
            b.buffer("mean", &[2], Init::Constant(1.5))
        });
        let parameters = b.finish();
        let values = initial_values(&parameters, 7);
        let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["net.1.weight", "net.bias", "net.back", "net.mean"]);
        let trained: Vec<bool> = parameters.iter().map(|parameter| parameter.trained).collect();
        assert_eq!(trained, [true, false, false, false]);
        let w = &values[0].1;
        assert_eq!(values[2].1, [w[0], w[3], w[1], w[4], w[2], w[5]], "W transposed");
        assert_eq!(values[3].1, [1.5, 1.5]);
        let roles: Vec<Role> = graph.sources().map(|(_, source)| source.role).collect();
        assert_eq!(roles, [Role::Param, Role::Buffer, Role::Buffer, Role::Buffer]);
    }

    #[test]
    fn draws_that_are_skipped_leave_what_is_behind_alone() {
        let drawn = |skipped: usize, dims: &[&[usize]]| {
            let mut graph = Graph::new();
            let mut b = Builder::new(&mut graph);
            for (index, dims) in dims.iter().enumerate() {
                b.parameter(&index.to_string(), dims, uniform(if index == 0 { skipped } else { 0 }));
            }
            initial_values(&b.finish(), 3)
        };
        let (whole, without) = (drawn(0, &[&[4], &[3], &[5]]), drawn(3, &[&[4], &[5]]));
        assert_eq!(whole[2].1, without[1].1);
    }
}
