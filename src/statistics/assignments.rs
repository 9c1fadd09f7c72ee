//! Which cluster each row is in, and how sure of it the encoder is.

/// Where the test rows have gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignments {
    /// The most likely cluster of each row.
    pub clusters: Vec<usize>,
    /// Its probability.
    pub certainty: Vec<f64>,
    /// Mean entropy of the rows' assignments, in nats.
    pub entropy: f64,
    /// exp of the entropy of the mean assignment: how many clusters are in use.
    pub used: f64,
}

impl Assignments {
    /// Of logits, rows of `clusters` numbers.
    pub fn new(logits: &[f32], clusters: usize) -> Self {
        let mut mean = vec![0.0; clusters];
        let mut all = Assignments { clusters: Vec::new(), certainty: Vec::new(), entropy: 0.0, used: 0.0 };
        let rows = (logits.len() / clusters) as f64;
        for row in logits.chunks_exact(clusters) {
            let largest = row.iter().fold(f64::NEG_INFINITY, |most, &x| most.max(f64::from(x)));
            let powers: Vec<f64> = row.iter().map(|&x| (f64::from(x) - largest).exp()).collect();
            let sum: f64 = powers.iter().sum();
            let q = powers.iter().map(|power| power / sum);
            all.entropy += q.clone().filter(|&q| q > 0.0).map(|q| -q * q.ln()).sum::<f64>() / rows;
            let best = q.clone().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0));
            all.clusters.push(best.0);
            all.certainty.push(best.1);
            mean.iter_mut().zip(q).for_each(|(mean, q)| *mean += q / rows);
        }
        all.used = mean.iter().filter(|&&q| q > 0.0).map(|q| -q * q.ln()).sum::<f64>().exp();
        all
    }

    /// What has gone wrong, if clusters say nothing: how many have a row, how many are in use, and the mean entropy of
    /// the rows' assignments.
    pub fn collapse(filled: f64, used: f64, entropy: f64) -> Option<&'static str> {
        if filled <= 1.0 || used < 1.5 {
            return Some("collapsed: every row is in one cluster; a larger --balance usually helps");
        }
        // Uniform assignments have the largest entropy there is.
        (entropy > 0.95 * used.ln()).then_some(
            "collapsed: every row is spread evenly over the clusters; more --epochs or a larger --lr may help",
        )
    }

    /// Clusters that are the most likely one of some row.
    pub fn filled(&self) -> usize {
        self.clusters.iter().collect::<std::collections::BTreeSet<_>>().len()
    }
}
