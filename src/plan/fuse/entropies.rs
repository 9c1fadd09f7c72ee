//! All entropies of weights in one kernel.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::finder::Finder;
use super::rewrite::Match;
use crate::graph::{Role, Var};
use crate::ops::array::binary::Binary;
use crate::ops::entropy::activeness::Activeness;
use crate::ops::entropy::activeness_grad::ActivenessGradAdd;
use crate::ops::entropy::renyi_entropy::RenyiEntropyPair;
use crate::ops::entropy::weight_entropies::{NEURONS, TERMS, WeightEntropies, WeightTerm};

/// Elements of all terms' weights up to which one workgroup keeps up with many.
const ELEMENTS: usize = 1 << 16;

/// An entropy with the three nodes that compute it and its gradient.
struct Found {
    activeness: usize,
    pair: usize,
    add: usize,
}

/// Tensors of a group, each once, in the order in which they were met.
#[derive(Default)]
struct Numbered(Vec<Var>);

impl Numbered {
    fn number(&mut self, var: Var) -> usize {
        self.0.iter().position(|other| *other == var).unwrap_or_else(|| {
            self.0.push(var);
            self.0.len() - 1
        })
    }
}

fn value(node: usize) -> Var {
    Var { node, port: 0 }
}

/// The entropies whose activeness, entropy and gradient are nobody else's business.
fn found(f: &Finder<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (add, op) in f.all::<ActivenessGradAdd>() {
        let inputs = f.inputs(add);
        let pair = inputs[2].node;
        let of_a_pair = f.op(pair).downcast::<RenyiEntropyPair>().is_some() && inputs[2].port == 1;
        if !of_a_pair || f.only_user::<ActivenessGradAdd>(inputs[2], 2).is_none() {
            continue;
        }
        let activeness = f.inputs(pair)[0].node;
        let same = f.op(activeness).downcast::<Activeness>() == Some(&op.0.0) && f.inputs(activeness) == &inputs[..2];
        let private = f.only_user::<RenyiEntropyPair>(value(activeness), 0).is_some();
        let placed = inputs[..2].iter().all(|&var| f.role(var).is_some_and(Role::is_parameter))
            && matches!(f.role(f.inputs(pair)[1]), Some(Role::State | Role::Setting));
        if same && private && placed && f.ty(inputs[1]).elements() <= NEURONS {
            found.push(Found { activeness, pair, add });
        }
    }
    found
}

/// Additions that sum up nothing but values of these entropies: each with the entropies under it.
fn sums(f: &Finder<'_>, found: &[Found]) -> (Vec<usize>, BTreeMap<Var, Vec<usize>>) {
    let mut under: BTreeMap<Var, Vec<usize>> =
        found.iter().enumerate().map(|(number, found)| (value(found.pair), vec![number])).collect();
    let mut additions = Vec::new();
    for (node, _) in f.all::<Binary>().filter(|(_, op)| **op == Binary::Add) {
        let [a, b] = f.inputs(node) else { continue };
        let private =
            |var: Var| under.contains_key(&var) && f.only_user::<Binary>(var, usize::from(var != *a)).is_some();
        if a != b && private(*a) && private(*b) {
            let both = [under.remove(a), under.remove(b)].into_iter().flatten().flatten().collect();
            under.insert(value(node), both);
            additions.push(node);
        }
    }
    (additions, under)
}

/// The group of all entropies of a graph. Gradients must end where one arena holds them all: in an
/// operation that packs them.
pub(in crate::plan) fn entropies(f: &Finder<'_>) -> Option<Match> {
    let found = found(f);
    let weights: usize = found.iter().map(|found| f.ty(f.inputs(found.add)[0]).elements()).sum();
    if found.is_empty() || found.len() > TERMS || weights > ELEMENTS {
        return None;
    }
    let (additions, sums) = sums(f, &found);
    let (mut parameters, mut seeds, mut bases) = (Numbered::default(), Numbered::default(), Numbered::default());
    // Each gradient is a chain of additions in place: where it stands now, by the tensor it began as.
    let mut now: Vec<Var> = Vec::new();
    let mut terms = Vec::new();
    for found in &found {
        let inputs = f.inputs(found.add);
        let gradients = [0, 1].map(|port| {
            let input = inputs[3 + port];
            let tensor = now.iter().position(|var| *var == input).unwrap_or_else(|| {
                now.push(input);
                bases.number(input)
            });
            now[tensor] = Var { node: found.add, port };
            tensor
        });
        let (value, _) = sums.iter().enumerate().find(|(_, (_, under))| under.contains(&terms.len()))?;
        terms.push(WeightTerm {
            activeness: *f.op(found.activeness).downcast::<Activeness>()?,
            entropy: f.op(found.pair).downcast::<RenyiEntropyPair>()?.0,
            parameters: [0, 1].map(|i| parameters.number(inputs[i])),
            seed: seeds.number(f.inputs(found.pair)[1]),
            gradients,
            value,
        });
    }
    if !now.iter().all(|&var| f.ends_packed(var)) {
        return None;
    }
    let values = sums.len();
    let mut outputs: Vec<(Var, usize)> = sums.into_keys().enumerate().map(|(port, var)| (var, port)).collect();
    outputs.extend(now.iter().enumerate().map(|(i, &var)| (var, values + i)));
    let counts = [parameters.0.len(), seeds.0.len(), bases.0.len(), values];
    Some(Match {
        nodes: found.iter().flat_map(|f| [f.activeness, f.pair, f.add]).chain(additions).collect(),
        op: Arc::new(WeightEntropies { terms, counts }),
        inputs: [parameters.0, seeds.0, bases.0].concat(),
        outputs,
    })
}
