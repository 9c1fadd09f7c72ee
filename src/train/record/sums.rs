//! The sums of an epoch under way, as a checkpoint holds them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::RunConfig;
use crate::nn::Pass;
use crate::train::TermSums;

/// The sums of the epoch under way as f64 bits, since JSON would round.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Sums {
    /// Those of terms by name, the samples counted as [`ROWS`].
    Named(BTreeMap<String, u64>),
    /// Samples, error, entropy, and the other terms in their order: of format 1.
    Listed(Vec<u64>),
}

/// Among the sums, the samples counted; no term is called so.
const ROWS: &str = "rows";

impl Sums {
    /// Those of a run.
    pub fn of(sums: &TermSums) -> Self {
        let terms = sums.terms.iter().map(|(name, sum)| (name.clone(), sum.to_bits()));
        Sums::Named(terms.chain([(ROWS.to_string(), sums.rows.to_bits())]).collect())
    }

    /// The sums of a run of this configuration.
    ///
    /// # Errors
    /// When they do not say how many samples were counted.
    pub fn read(self, config: &RunConfig) -> Result<TermSums, String> {
        let damaged = || "damaged checkpoint (no sums)".to_string();
        let mut sums: BTreeMap<String, f64> = match self {
            Sums::Named(sums) => sums.into_iter().map(|(name, bits)| (name, f64::from_bits(bits))).collect(),
            Sums::Listed(bits) => {
                let error = config.error_term().unwrap_or("mse");
                let leading = [error, "entropy"];
                let further = config.terms(Pass::Train).into_iter().map(|(name, _)| name);
                let further = further.filter(|name| !leading.contains(name));
                let names = [ROWS].into_iter().chain(leading).chain(further);
                names.zip(bits).map(|(name, bits)| (name.to_string(), f64::from_bits(bits))).collect()
            }
        };
        let rows = sums.remove(ROWS).ok_or_else(damaged)?;
        // What the run no longer has is not gone on with.
        let names: Vec<&str> = config.terms(Pass::Train).into_iter().map(|(name, _)| name).collect();
        sums.retain(|name, _| names.contains(&name.as_str()));
        Ok(TermSums { rows, terms: sums })
    }
}
