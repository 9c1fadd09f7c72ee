//! Signs that a network no longer uses what it has, and what usually helps.

use crate::config::{Collapse, RunConfig};
use crate::train::EpochMetrics;

/// Share of a layer's units beyond which dead ones are told.
const DEAD: f64 = 0.5;
/// Effective rank below which codes lie on a line, and the narrowest code of which that is told.
const LINE: (f64, usize) = (1.2, 4);

/// What has collapsed after an epoch: what the run's objectives say, and what any network may come to. Where an entropy
/// drives neurons out on purpose, their absence is no fault.
pub fn collapses(config: &RunConfig, metrics: &EpochMetrics) -> Vec<Collapse> {
    let observed = |key: &str| metrics.figures.get(key).copied();
    let (objectives, last) = (config.objectives(), metrics.epoch >= config.epochs);
    let mut found: Vec<Collapse> =
        objectives.iter().flat_map(|objective| objective.collapses(config, &metrics.figures, last)).collect();
    let mut tell = |of: String, advice: String| found.push(Collapse { of, advice });
    if config.lambda_entropy > 0.0 {
        return found;
    }
    for (index, layer) in config.layers().into_iter().enumerate() {
        let number = index + 1;
        let Some(dead) = observed(&format!("dead_units_{number}")) else { continue };
        if dead > DEAD * layer.linear as f64 {
            let advice = format!(
                "layer {number}: {dead} of {} units are dead, the same for every image; a smaller --lr or \
                 activation = \"leaky-relu\" usually helps",
                layer.linear
            );
            tell(format!("layer {number}"), advice);
        }
    }
    let width = config.code_width();
    if let Some(rank) = observed("code_rank").filter(|&rank| rank < LINE.0 && width >= LINE.1) {
        let advice = format!(
            "codes have collapsed: their {width} dimensions vary as {rank:.1} would; a smaller --lr or weight of the \
             penalty usually helps"
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
            "epoch": 1, "step": 9, "seconds": 1.0, "samples_per_second": 1.0, "train_loss": 1.0, "train_mse": 1.0,
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
}
