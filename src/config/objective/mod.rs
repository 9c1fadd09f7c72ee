//! What a run makes smaller: objectives, one file each, with the keys that ask for it, their defaults and checks, the
//! terms it adds to the loss, what it tells of an epoch, and what it looks like when it has collapsed.
//!
//! Names and weights of all terms are known without a graph ([`Objective::weights`]): the ring on the device, the
//! metrics, `eval` and the plots follow that list. A further objective is a file here and a line in `config/mod.rs`.

pub mod adversarial;
pub mod classifier;
pub mod clustering;
pub mod contractive;
pub mod contrastive;
pub mod contrastive_divergence;
pub mod corruption;
pub mod entropy;
pub mod huber;
pub mod rate;
pub mod reconstruction;
pub mod schedule;
pub mod sparsity;
pub mod variational;
pub mod wasserstein;

use std::collections::BTreeMap;

use super::RunConfig;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::{Batch, Pass};
use schedule::Schedule;

/// What a term counts for in the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weight {
    /// The weight, the largest one where it moves; negative for what is driven up.
    pub value: f32,
    /// Whether the term is part of the loss; else it is only watched.
    pub counts: bool,
    /// How it moves over time.
    pub schedule: Schedule,
    /// Name of its memory on the device, where it moves; so that what is stored of a run keeps its name.
    pub memory: &'static str,
    /// Whether there is such a term while training alone.
    pub in_training: bool,
    /// Whether the term's gradient is whole, and the weight only sets the pace of what is in front of it (see
    /// [`Batch::price`]).
    pub is_pace: bool,
}

impl Weight {
    /// One that stays; a term without weight is only watched.
    pub fn fixed(value: f32) -> Self {
        Weight {
            value,
            counts: value > 0.0,
            schedule: Schedule::Constant,
            memory: "",
            in_training: false,
            is_pace: false,
        }
    }

    /// None: the term is only watched.
    pub fn watched() -> Self {
        Self::fixed(0.0)
    }

    /// Whether it moves.
    pub fn moves(&self) -> bool {
        self.schedule != Schedule::Constant && self.value != 0.0
    }
}

/// A term of a loss: a scalar, its name and what it counts for.
#[derive(Clone, Debug)]
pub struct Term {
    /// Its name: metrics have it as `train_<name>` and `test_<name>`.
    pub name: &'static str,
    /// What it counts for.
    pub weight: Weight,
    /// Its value, mean over the valid rows of a batch.
    pub var: Var,
}

/// A figure of an epoch that the terminal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its key in the metrics.
    pub key: String,
    /// What it is called.
    pub label: String,
    /// Its decimals.
    pub decimals: usize,
    /// Whether it is told as a percentage.
    pub percent: bool,
}

impl Told {
    fn new(key: impl Into<String>, label: impl Into<String>, decimals: usize) -> Self {
        Told { key: key.into(), label: label.into(), decimals, percent: false }
    }

    fn percent(self) -> Self {
        Told { percent: true, ..self }
    }
}

/// A term's mean by its name.
pub type Means<'a> = &'a dyn Fn(&str) -> f64;

/// A figure that follows from terms.
#[derive(Clone, Copy)]
pub struct Derived {
    /// Its name, as a term has one.
    pub name: &'static str,
    /// How it follows from them.
    pub of: fn(Means<'_>) -> f64,
    /// Whether more of it is better.
    pub is_better_larger: bool,
}

/// Steps before which a network is not trained enough for anything to have collapsed.
pub const ENOUGH_STEPS: u32 = 1000;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trained {
    /// Steps made.
    pub steps: u32,
    /// Whether there are no more to come.
    pub is_last: bool,
}

/// Something that has collapsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collapse {
    /// What: the same for every epoch in which it is so.
    pub of: String,
    /// What was seen and what usually helps.
    pub advice: String,
}

/// A part of what a run makes smaller.
pub trait Objective {
    /// Refuses values without meaning, alone and beside the rest of the configuration.
    ///
    /// # Errors
    /// [`Error::Usage`] that begins with the key of the value.
    fn check(&self, config: &RunConfig) -> Result<()>;

    /// Names and weights of its terms, in the order of [`vars`](Self::vars).
    fn weights(&self, config: &RunConfig) -> Vec<(&'static str, Weight)>;

    /// Its terms of a batch, scalars.
    ///
    /// # Errors
    /// When the network is not one that it can judge.
    fn vars(&self, config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>>;

    /// Whether it is enough by itself, so that the error of a reconstruction needs no weight beside it.
    fn is_sufficient(&self) -> bool {
        false
    }

    /// Whether networks under it answer with something else than the row they were given, so that there is no
    /// reconstruction.
    fn has_other_answer(&self) -> bool {
        false
    }

    /// The term that says how far the answers are from what they should be, which a budget is compared with.
    fn error_term(&self) -> Option<&'static str> {
        None
    }

    /// What of it is of a whole batch and no mean over its rows, so that a batch cannot go through the network in parts.
    fn of_whole_batch(&self) -> Option<&'static str> {
        None
    }

    /// Whether an epoch is judged by the network's answers to all test rows: see [`judge`](Self::judge).
    fn wants_answers(&self) -> bool {
        false
    }

    /// Figures of the answers \[rows, width\] to all test rows, given the rows' labels.
    fn judge(&self, answers: &[f32], labels: &[u16], width: usize) -> BTreeMap<String, f64> {
        let _ = (answers, labels, width);
        BTreeMap::new()
    }

    /// What follows from its terms.
    fn derived(&self, config: &RunConfig) -> Option<Derived> {
        let _ = config;
        None
    }

    /// What the terminal tells of an epoch.
    fn told(&self, config: &RunConfig) -> Vec<Told> {
        let _ = config;
        Vec::new()
    }

    /// Whether more of one of its terms is better.
    fn is_better_larger(&self, term: &str) -> bool {
        let _ = term;
        false
    }

    /// What has collapsed after an epoch with these metrics.
    fn collapses(&self, config: &RunConfig, metrics: &BTreeMap<String, f64>, trained: Trained) -> Vec<Collapse> {
        let _ = (config, metrics, trained);
        Vec::new()
    }

    /// What helps a network that makes the mean image of everything, if this objective may be why after an epoch with these
    /// metrics.
    fn relief(&self, config: &RunConfig, metrics: &BTreeMap<String, f64>) -> Option<String> {
        let _ = (config, metrics);
        None
    }

    /// What is known to go wrong with settings that are not refused, a sentence each.
    fn warnings(&self, config: &RunConfig) -> Vec<String> {
        let _ = config;
        Vec::new()
    }
}

impl RunConfig {
    /// Everything that the run makes smaller or watches, in the order of the terms.
    pub fn objectives(&self) -> Vec<&dyn Objective> {
        let asked_for = self.asked_for();
        let reconstruction = !asked_for.iter().any(|objective| objective.has_other_answer());
        let reconstruction = reconstruction.then_some(&reconstruction::Reconstruction as &dyn Objective);
        let entropy = (self.lambda_entropy > 0.0).then_some(&self.entropy as &dyn Objective);
        reconstruction.into_iter().chain(entropy).chain(asked_for).collect()
    }

    /// Names and weights of all terms that a batch has in a pass: the columns of the ring, in their order.
    pub fn terms(&self, pass: Pass) -> Vec<(&'static str, Weight)> {
        let all = self.objectives().into_iter().flat_map(|objective| objective.weights(self));
        all.filter(|(_, weight)| pass == Pass::Train || !weight.in_training).collect()
    }

    /// The terms whose weight moves.
    pub fn moving_terms(&self) -> Vec<&'static str> {
        self.terms(Pass::Train).into_iter().filter(|(_, weight)| weight.moves()).map(|(name, _)| name).collect()
    }

    /// The term that says how far the answers are from what they should be.
    pub fn error_term(&self) -> Option<&'static str> {
        self.objectives().into_iter().find_map(|objective| objective.error_term())
    }

    /// All terms of a batch.
    ///
    /// # Errors
    /// When an objective cannot judge the network, or two terms share a name.
    pub fn terms_of(&self, g: &mut Graph, batch: &Batch) -> Result<Vec<Term>> {
        let mut terms: Vec<Term> = Vec::new();
        for objective in self.objectives() {
            let mut weights = objective.weights(self);
            weights.retain(|(_, weight)| batch.pass == Pass::Train || !weight.in_training);
            let vars = objective.vars(self, g, batch)?;
            if weights.len() != vars.len() {
                let problem = format!("{} terms where {} are named", vars.len(), weights.len());
                return Err(Error::graph("objective", problem));
            }
            for ((name, weight), var) in weights.into_iter().zip(vars) {
                if terms.iter().any(|term| term.name == name) {
                    return Err(Error::graph("objective", format!("there are two terms '{name}'")));
                }
                terms.push(Term { name, weight, var });
            }
        }
        Ok(terms)
    }

    /// Figures that follow from terms.
    pub fn derived(&self) -> Vec<Derived> {
        self.objectives().iter().filter_map(|objective| objective.derived(self)).collect()
    }

    /// Whether the network answers with the rows it was given, as well as it can.
    pub fn reconstructs(&self) -> bool {
        !self.asked_for().iter().any(|objective| objective.has_other_answer())
    }

    /// Whether the decoder makes rows of codes: of a network that reconstructs, or of a generator.
    pub fn makes_rows(&self) -> bool {
        self.reconstructs() || self.adversarial.is_some()
    }

    /// Whether the model has an objective that takes the place of the reconstruction error.
    pub fn has_own_objective(&self) -> bool {
        self.hopfield.is_some() || self.asked_for().iter().any(|objective| objective.is_sufficient())
    }

    /// What is known to go wrong with settings that are not refused, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let objectives = self.objectives();
        objectives.iter().flat_map(|objective| objective.warnings(self)).chain(self.decided_by_test()).collect()
    }
}

/// An [`Error::Usage`] that begins with a key and says what was expected.
pub(super) fn refuse<T>(key: &str, value: impl std::fmt::Display, expected: &str) -> Result<T> {
    Err(Error::Usage(format!("{key} {value}: expected {expected}")))
}

/// Refuses what is no number of 0 or more.
pub(super) fn check_weight(key: &str, value: f32) -> Result<()> {
    if value.is_finite() && value >= 0.0 { Ok(()) } else { refuse(key, value, "a number of 0 or more") }
}

/// Refuses numbers of layers that are no hidden ones; `hidden` is how many there are.
pub(super) fn check_layers(key: &str, layers: &[usize], hidden: usize) -> Result<()> {
    if layers.is_empty() {
        return refuse(key, "[]", "at least one layer");
    }
    match layers.iter().find(|&&layer| layer == 0 || layer > hidden) {
        Some(layer) => refuse(key, layer, &format!("hidden layers are numbered 1 to {hidden}")),
        None => Ok(()),
    }
}
