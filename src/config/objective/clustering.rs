//! Sorting rows without labels, an encoder with one output a cluster: `[clustering]`.
//!
//! Source: Paiton and Lundquist, "Entropy loss function for unsupervised deep learning", corrected as in FORMULAS §2: the
//! loss is the mean entropy of the rows' soft assignments plus λ · KL of their mean to uniform. The first makes every
//! assignment certain, the second keeps all clusters in use; without it everything ends up in one. Neither says what
//! belongs together: virtual adversarial perturbations do, as in IMSAT (Hu et al., "Learning Discrete Representations via
//! Information Maximizing Self-Augmented Training", 2017), and images that `[augment]` has changed: KL(p(x) ‖ p(T(x))) with
//! x a constant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Collapse, Objective, Told, Trained, Weight, check_weight, refuse};
use crate::autodiff::grad;
use crate::config::RunConfig;
use crate::data::NEIGHBOUR_DISTANCES;
use crate::error::{Error, Result};
use crate::graph::{Graph, Role, Var};
use crate::nn::losses::soft_assignment;
use crate::nn::{Batch, Pass, stream};
use crate::ops::array::activation::Activation;
use crate::ops::array::binary::Binary;
use crate::ops::loss::softmax_divergence::SoftmaxDivergence;
use crate::ops::norm::normalise_rows::NormaliseRows;
use crate::ops::random::random_normal::RandomNormal;
use crate::statistics::agreement::Contingency;
use crate::statistics::assignments::Assignments;
use crate::tensor::Ty;

/// Certain of every row, and all clusters alike in use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clustering {
    /// Weight λ of the balance between clusters.
    pub balance: f32,
    /// Weight of the divergence that changed images cause, where `[augment]` changes them; 10 if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consistency: Option<f32>,
    /// Perturbations that assignments must withstand, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adversarial: Option<Adversarial>,
}

/// Virtual adversarial perturbations: what the encoder says of a row must hold for rows near it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adversarial {
    /// Length ε of a perturbation, as a share of the distance from its row to the tenth nearest one.
    pub epsilon: f32,
    /// Length of the step by which its direction is found.
    pub probe: f32,
    /// Weight of the divergence that it causes.
    pub weight: f32,
}

impl Default for Adversarial {
    /// IMSAT's (Hu et al., 2017), the weight relative to that of the entropy; of its length of 0.25 four fifths, which on
    /// MNIST raised the lowest accuracy of five seeds.
    fn default() -> Self {
        Adversarial { epsilon: 0.2, probe: 10.0, weight: 10.0 }
    }
}

/// Weight of the divergence that changed images cause, relative to that of the entropy: that of perturbations (Hu et al.,
/// 2017), which are changes of another kind.
pub const CONSISTENCY: f32 = 10.0;

/// Most clusters.
pub const MOST: usize = 4096;

/// Name of the number 1 on a device, from which a gradient starts.
pub const ONE: &str = "one";

impl Adversarial {
    /// How much the assignments change under the perturbation that changes them most, as far as one step of power
    /// iteration finds it (Miyato et al., 2018, as in IMSAT): a random direction, a finite step along it, the gradient of
    /// the divergence there is the direction, its length is ε times the row's own.
    fn divergence(&self, g: &mut Graph, batch: &Batch) -> Result<Var> {
        let one = g.source(Role::Setting, ONE, Ty::f32(&[]));
        let lengths = batch.further(g, NEIGHBOUR_DISTANCES, Ty::f32(&[batch.split_rows]))?;
        let shape = g.ty(batch.x).shape.clone();
        let noise = g.apply(RandomNormal { shape, stream: stream::PERTURBATION }, &[batch.clock])?;
        let random = g.apply(NormaliseRows { scale: self.probe }, &[noise])?;
        let divergence = |g: &mut Graph, perturbation: Var| {
            let x = g.apply(Binary::Add, &[batch.x, perturbation])?;
            let perturbed = batch.again(g, x)?.answer;
            g.apply(SoftmaxDivergence { rows_per_sample: 1 }, &[batch.passed.answer, perturbed, batch.clock])
        };
        let probed = divergence(g, random)?;
        let unconnected = || Error::graph("adversarial", "the divergence does not depend on the perturbation");
        let direction = grad(g, &[(probed, one)], &[random])?[0].ok_or_else(unconnected)?;
        let perturbation = g.apply(NormaliseRows { scale: self.epsilon }, &[direction, lengths, batch.rows])?;
        divergence(g, perturbation)
    }
}

impl Objective for Clustering {
    fn check(&self, config: &RunConfig) -> Result<()> {
        check_weight("clustering.balance", self.balance)?;
        self.consistency.map_or(Ok(()), |weight| check_weight("clustering.consistency", weight))?;
        if let Some(adversarial) = self.adversarial {
            check_weight("clustering.adversarial.epsilon", adversarial.epsilon)?;
            check_weight("clustering.adversarial.weight", adversarial.weight)?;
            if !(adversarial.probe.is_finite() && adversarial.probe > 0.0) {
                return refuse("clustering.adversarial.probe", adversarial.probe, "a positive number");
            }
        }
        let beside = [
            ("decoder", !config.decoder.is_empty()),
            ("corruption", config.corruption.is_some()),
            ("variational", config.variational.is_some()),
            ("contrastive_divergence", config.contrastive_divergence.is_some()),
            ("classifier", config.classifier.is_some()),
            ("tied", config.tied),
            ("lambda_entropy", config.lambda_entropy > 0.0),
            ("lambda_mse", config.lambda_mse > 0.0),
        ];
        if let Some((key, _)) = beside.iter().find(|(_, set)| *set) {
            let problem = "has no meaning beside clustering, an encoder whose outputs are the clusters";
            return Err(Error::Usage(format!("{key}: {problem}")));
        }
        let (key, last) = config.code_activation("clustering")?;
        if last != Activation::Identity {
            return refuse(&format!("{key}.activation"), last.word(), "identity, for logits of the clusters");
        }
        if !(2..=MOST).contains(&config.code_width()) {
            return refuse(&format!("{key}.linear"), config.code_width(), &format!("2 to {MOST} clusters"));
        }
        if config.batch_size < 2 {
            return refuse("--batch-size", config.batch_size, "2 or more, since balance is that of a batch");
        }
        Ok(())
    }

    fn weights(&self, config: &RunConfig) -> Vec<(&'static str, Weight)> {
        let always = |value: f32| Weight { counts: true, ..Weight::fixed(value) };
        let mut weights = vec![("entropy", always(1.0)), ("divergence", always(self.balance))];
        let adversarial = |adversarial: Adversarial| Weight { in_training: true, ..always(adversarial.weight) };
        weights.extend(self.adversarial.map(|it| ("adversarial", adversarial(it))));
        let consistency = Weight { in_training: true, ..always(self.consistency.unwrap_or(CONSISTENCY)) };
        weights.extend(config.augmentation().map(|_| ("consistency", consistency)));
        weights
    }

    fn vars(&self, config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>> {
        let codes = soft_assignment(g, batch.passed.answer, batch.clock, -1.0)?;
        let mut vars = vec![codes.mean_entropy, codes.divergence];
        if let Some(adversarial) = self.adversarial.filter(|_| batch.pass == Pass::Train) {
            vars.push(adversarial.divergence(g, batch)?);
        }
        if config.augmentation().is_some() && batch.pass == Pass::Train {
            let changed = config.augmented(g, batch.x, batch.clock, 0)?;
            let answer = batch.again(g, changed)?.answer;
            let said = [batch.passed.answer, answer, batch.clock];
            vars.push(g.apply(SoftmaxDivergence { rows_per_sample: 1 }, &said)?);
        }
        Ok(vars)
    }

    fn is_sufficient(&self) -> bool {
        true
    }

    fn has_other_answer(&self) -> bool {
        true
    }

    fn wants_answers(&self) -> bool {
        true
    }

    /// Certainty and balance over all rows, and how well clusters agree with classes, which they have never seen.
    fn judge(&self, answers: &[f32], labels: &[u16], width: usize) -> BTreeMap<String, f64> {
        let assignments = Assignments::new(answers, width);
        let mut figures = BTreeMap::from([
            ("clusters_used".to_string(), assignments.used),
            ("clusters_filled".to_string(), assignments.filled() as f64),
            ("assignment_entropy".to_string(), assignments.entropy),
        ]);
        if let Some(agreement) = Contingency::new(&assignments.clusters, labels, width).agreement() {
            let told = [
                ("purity", agreement.purity),
                ("nmi", agreement.nmi),
                ("ari", agreement.ari),
                ("accuracy", agreement.accuracy),
            ];
            figures.extend(told.map(|(name, value)| (name.to_string(), value)));
        }
        figures
    }

    fn is_better_larger(&self, term: &str) -> bool {
        ["purity", "nmi", "ari", "accuracy"].contains(&term)
    }

    fn of_whole_batch(&self) -> Option<&'static str> {
        Some("clustering")
    }

    fn told(&self, _config: &RunConfig) -> Vec<Told> {
        let agreement = ["purity", "nmi", "ari", "accuracy"].map(|key| {
            let label = if key.len() == 3 { key.to_uppercase() } else { key.to_string() };
            Told::new(key, label, 3)
        });
        let losses = [Told::new("train_entropy", "entropy", 4), Told::new("train_divergence", "divergence", 4)];
        losses.into_iter().chain([Told::new("clusters_used", "clusters used", 2)]).chain(agreement).collect()
    }

    /// Early on assignments are even, which is no fault.
    fn collapses(&self, _config: &RunConfig, metrics: &BTreeMap<String, f64>, trained: Trained) -> Vec<Collapse> {
        if !trained.is_last {
            return Vec::new();
        }
        let get = |key: &str| metrics.get(key).copied().unwrap_or(f64::NAN);
        let collapse = Assignments::collapse(get("clusters_filled"), get("clusters_used"), get("assignment_entropy"));
        collapse.map(|advice| Collapse { of: "clusters".into(), advice: advice.into() }).into_iter().collect()
    }
}
