//! Signs that a network no longer uses what it has, and what usually helps.

use crate::config::{Collapse, ENOUGH_STEPS, RunConfig, Trained};
use crate::ops::array::activation::Activation;
use crate::train::EpochMetrics;

/// Share of a layer's units beyond which dead ones are told.
const DEAD: f64 = 0.5;
/// Effective rank below which codes lie on a line, and the narrowest code of which that is told.
const LINE: (f64, usize) = (1.2, 4);

/// An error over this share of the mean image's is that of a network that has learnt nothing worth the name.
const MEAN_IMAGE: f64 = 0.9;
/// Share by which an epoch's error is smaller than that of the one before as long as it falls.
const FALLS: f64 = 0.01;

/// How a network stands beside the mean image, the best answer that looks at nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is better, or reconstructs nothing.
    Learnt,
    /// It is not better yet: it has made few steps, or its error still falls.
    Undertrained,
    /// It has been better, or does not get better.
    Collapsed,
}

/// How a network stands after these epochs, given the error of the mean image; before the first it has made no step.
pub fn standing(epochs: &[EpochMetrics], mean_image: f64) -> Standing {
    let error = |metrics: &EpochMetrics| metrics.test("mse");
    let is_better = |error: f64| error <= MEAN_IMAGE * mean_image;
    let Some((last, before)) = epochs.split_last() else { return Standing::Undertrained };
    let Some(now) = error(last).filter(|&error| !is_better(error)) else { return Standing::Learnt };
    if before.iter().filter_map(error).any(is_better) {
        return Standing::Collapsed;
    }
    let falls = before.last().and_then(error).is_some_and(|before| now < (1.0 - FALLS) * before);
    if falls || last.step < ENOUGH_STEPS { Standing::Undertrained } else { Standing::Collapsed }
}

/// What usually helps a run whose codes say nothing: what its objectives know, and what always may.
fn relief(config: &RunConfig, metrics: &EpochMetrics) -> String {
    let objectives = config.objectives();
    let reliefs = objectives.iter().filter_map(|objective| objective.relief(config, &metrics.figures));
    reliefs.chain(["a smaller --lr".to_string()]).collect::<Vec<String>>().join(", or ")
}

/// What to say of a network that is no better than the mean image after these epochs, and what usually helps a run of this
/// configuration; `row` is what a row is called.
pub fn mean_image(config: &RunConfig, epochs: &[EpochMetrics], mean_image: f64, row: &str) -> Option<String> {
    let last = epochs.last()?;
    let figures = format!("the test error is {:.4}, that of the mean {row} {mean_image:.4}", last.test("mse")?);
    match standing(epochs, mean_image) {
        Standing::Learnt => None,
        Standing::Undertrained => Some(format!(
            "undertrained: after {} step{} {figures}; more epochs (train --resume RUN --epochs N), or more steps of each by a \
             smaller --batch-size, usually help",
            last.step,
            if last.step == 1 { "" } else { "s" }
        )),
        Standing::Collapsed => Some(format!("collapsed: {figures}; {} usually helps", relief(config, last))),
    }
}

/// What has collapsed after an epoch: what the run's objectives say, and what any network may come to. Where an entropy
/// drives neurons out on purpose, their absence is no fault.
pub fn collapses(config: &RunConfig, metrics: &EpochMetrics) -> Vec<Collapse> {
    let observed = |key: &str| metrics.figures.get(key).copied();
    let trained = Trained { steps: metrics.step, is_last: metrics.epoch >= config.epochs };
    let objectives = config.objectives();
    let mut found: Vec<Collapse> =
        objectives.iter().flat_map(|objective| objective.collapses(config, &metrics.figures, trained)).collect();
    let mut tell = |of: String, advice: String| found.push(Collapse { of, advice });
    if config.lambda_entropy > 0.0 {
        return found;
    }
    for (index, layer) in config.layers().into_iter().enumerate() {
        let number = index + 1;
        let Some(dead) = observed(&format!("dead_units_{number}")) else { continue };
        if dead > DEAD * layer.linear as f64 {
            let advice = format!(
                "layer {number}: {dead} of {} units are dead, the same for every row; a smaller --lr{} usually helps",
                layer.linear,
                if layer.activation == Activation::Relu { " or activation = \"leaky-relu\"" } else { "" }
            );
            tell(format!("layer {number}"), advice);
        }
    }
    // A discriminator makes one number of a row, which is no code.
    if config.adversarial.is_some() {
        return found;
    }
    let width = config.code_width();
    let rank = observed("code_rank").filter(|&rank| rank < LINE.0 && width >= LINE.1);
    if let Some(rank) = rank.filter(|_| trained.steps >= ENOUGH_STEPS) {
        let advice = format!(
            "codes have collapsed: their {width} dimensions vary as {rank:.1} would; {} usually helps",
            relief(config, metrics)
        );
        tell("codes".into(), advice);
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn told(model: &str, observed: &[(&str, f64)]) -> Vec<String> {
        let config = RunConfig::model(model).unwrap();
        let mut line = serde_json::json!({
            "epoch": 3, "step": 1407, "seconds": 1.0, "samples_per_second": 1.0, "train_loss": 1.0, "train_mse": 1.0,
            "test_loss": 1.0, "test_mse": 1.0
        });
        observed.iter().for_each(|(key, value)| line[key] = (*value).into());
        let metrics: EpochMetrics = serde_json::from_value(line).unwrap();
        collapses(&config, &metrics).into_iter().map(|collapse| collapse.of).collect()
    }

    #[test]
    fn what_collapsed_is_named_and_what_lives_is_not() {
        assert_eq!(told("vae", &[("active_codes", 2.0), ("test_kl", 0.3)]), ["posterior"]);
        assert!(told("vae", &[("active_codes", 3.0), ("test_kl", 9.0), ("code_rank", 3.0)]).is_empty());
        assert_eq!(told("denoising", &[("dead_units_2", 65.0), ("dead_units_1", 256.0)]), ["layer 2"]);
        assert_eq!(told("dropout", &[("code_rank", 1.1)]), ["codes"]);
        assert!(told("entropic", &[("code_rank", 1.1), ("dead_units_2", 20.0)]).is_empty(), "driven out on purpose");
    }

    /// Epochs of so many steps each, with these test errors.
    fn epochs(steps: u32, errors: &[f64]) -> Vec<EpochMetrics> {
        let epoch = |(index, error): (usize, &f64)| EpochMetrics {
            epoch: index as u32 + 1,
            step: steps * (index as u32 + 1),
            seconds: 1.0,
            samples_per_second: 1.0,
            train_loss: 1.0,
            test_loss: 1.0,
            figures: [("test_mse".to_string(), *error)].into(),
        };
        errors.iter().enumerate().map(epoch).collect()
    }

    #[test]
    fn a_network_that_was_hardly_trained_has_not_collapsed() {
        let after = |steps: u32, errors: &[f64]| standing(&epochs(steps, errors), 0.067);
        assert_eq!(after(9, &[0.066]), Standing::Undertrained, "one short epoch");
        assert_eq!(after(400, &[0.0669, 0.0668, 0.0668]), Standing::Collapsed, "many steps, and no way down");
        assert_eq!(after(400, &[0.075, 0.070, 0.065]), Standing::Undertrained, "it still falls");
        assert_eq!(after(3, &[0.05, 0.0668]), Standing::Collapsed, "it had learnt and lost it");
        assert_eq!(after(3, &[0.066, 0.05]), Standing::Learnt);
        assert_eq!(after(1, &[]), Standing::Undertrained);
    }

    #[test]
    fn advice_is_for_what_the_run_is() {
        let lost = |recipe: &str, weight: f64, set: &[(&str, &str)]| {
            let mut config = RunConfig::recipe(recipe).unwrap();
            set.iter().for_each(|(key, value)| config.set("--set", key, value).unwrap());
            let mut epochs = epochs(500, &[0.04, 0.0668]);
            if !config.moving_terms().is_empty() {
                epochs[1].figures.insert("entropy_weight".into(), weight);
            }
            mean_image(&config, &epochs, 0.067, "image").unwrap()
        };
        assert!(lost("report", 0.3, &[]).contains("--recipe bottleneck"));
        let under_a_budget = lost("bottleneck", 0.02, &[]);
        assert!(under_a_budget.starts_with("collapsed: the test error is 0.0668, that of the mean image 0.0670; "));
        assert!(!under_a_budget.contains("--recipe") && under_a_budget.contains("entropy.schedule.warm_up"));
        assert!(lost("bottleneck", 0.02, &[("budget", "0.066")]).contains("a smaller --budget"));
        // Before the entropy has any weight it is not why.
        let early = lost("bottleneck", 0.0, &[]);
        assert!(early.ends_with("; a smaller --lr usually helps"), "{early}");
        assert_eq!(early, lost("plain", 0.0, &[]), "as of a run without entropy");
        let short =
            mean_image(&RunConfig::recipe("bottleneck").unwrap(), &epochs(9, &[0.066]), 0.067, "image").unwrap();
        assert!(short.starts_with("undertrained: after 9 steps") && !short.contains("recipe"), "{short}");
    }
}
