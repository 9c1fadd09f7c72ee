//! Losses under construction, and the proof of their gradients by differences.

use gpu_ae::graph::{Feeds, Graph, Role, Source, Var, interpret};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::step::clock;
use gpu_ae::tensor::{HostTensor, Ty};

use crate::difference::{self, check, signed};

/// A graph under construction with a random value for every float source added.
pub struct Loss {
    pub graph: Graph,
    pub feeds: Feeds<f64>,
    pub rng: gpu_ae::rng::Rng,
}

impl Loss {
    /// An empty one, its values from this seed.
    pub fn new(seed: u64) -> Self {
        Loss { graph: Graph::new(), feeds: Feeds::new(), rng: difference::rng(seed) }
    }

    /// A source of these extents.
    pub fn input(&mut self, name: &str, dims: &[usize]) -> Var {
        self.graph.source(Role::Input, name, Ty::f32(dims))
    }

    /// A clock with so many valid rows.
    pub fn clock(&mut self, valid: usize) -> Var {
        let words = clock::with_valid_rows(valid);
        self.feeds.insert("clock".into(), HostTensor::from_words(&[clock::WORDS], words.words()));
        self.graph.source(Role::State, "clock", clock::ty())
    }

    /// Feeds what has no value yet.
    pub fn feed(&mut self) {
        let sources: Vec<Source> = self.graph.sources().map(|(_, source)| source.clone()).collect();
        for source in sources {
            let rng = &mut self.rng;
            self.feeds.entry(source.name).or_insert_with(|| signed(rng, source.ty.shape.dims()));
        }
    }

    /// Distance of the nearest argument of a ReLU from its kink.
    pub fn kink(&mut self) -> f64 {
        self.feed();
        let values = interpret(&self.graph, &mut self.feeds.clone()).unwrap();
        let bent = [Activation::Relu, Activation::LeakyRelu];
        let relus = self.graph.nodes().iter().filter(|node| node.op.downcast().is_some_and(|op| bent.contains(op)));
        relus.flat_map(|node| values.get(node.inputs[0]).real()).fold(f64::MAX, |least, x| least.min(x.abs()))
    }

    /// Compares the gradients of the weighed sum of `terms`.
    pub fn prove(mut self, label: &str, terms: &[Var], wrt: &[Var]) {
        let mut outputs = Vec::new();
        for (i, &term) in terms.iter().enumerate() {
            assert!(self.graph.ty(term).shape.dims().is_empty(), "{label}: a loss is a scalar");
            outputs.push((term, self.input(&format!("weight {i}"), &[])));
        }
        self.feed();
        let (_, gradients) = check(&self.graph, &outputs, wrt, &self.feeds)
            .unwrap_or_else(|error| panic!("{label}: {error}"))
            .unwrap_or_else(|problem| panic!("{label}: {problem}"));
        assert_eq!(gradients.len(), wrt.len(), "{label}: an input got no gradient");
    }
}
