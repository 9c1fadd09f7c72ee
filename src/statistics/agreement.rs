//! How well clusters agree with classes that they were never told.

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;
use serde::Serialize;

/// Counts of rows by cluster and class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contingency {
    /// `counts[cluster][class]`.
    pub counts: Vec<Vec<usize>>,
}

/// Measures of agreement, 1 at best.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Share of rows that are of their cluster's most frequent class.
    pub purity: f64,
    /// Mutual information over the mean of both entropies.
    pub nmi: f64,
    /// Rand index, adjusted for chance: 0 of a random partition.
    pub ari: f64,
    /// Share of rows that are right when every cluster stands for at most one class, matched as well as can be.
    pub accuracy: f64,
}

impl Contingency {
    /// Of rows with these clusters and classes.
    pub fn new(clusters: &[usize], classes: &[u16], number_of_clusters: usize) -> Self {
        let number_of_classes = classes.iter().max().map_or(0, |&most| usize::from(most) + 1);
        let mut counts = vec![vec![0; number_of_classes]; number_of_clusters];
        for (&cluster, &class) in clusters.iter().zip(classes) {
            counts[cluster][usize::from(class)] += 1;
        }
        Contingency { counts }
    }

    /// Rows of each cluster.
    pub fn sizes(&self) -> Vec<usize> {
        self.counts.iter().map(|row| row.iter().sum()).collect()
    }

    fn class_sizes(&self) -> Vec<usize> {
        let classes = self.counts.first().map_or(0, Vec::len);
        (0..classes).map(|class| self.counts.iter().map(|row| row[class]).sum()).collect()
    }

    /// All measures; none of no rows.
    pub fn agreement(&self) -> Option<Agreement> {
        let (clusters, classes) = (self.sizes(), self.class_sizes());
        let n = clusters.iter().sum::<usize>() as f64;
        if n == 0.0 {
            return None;
        }
        let largest: usize = self.counts.iter().filter_map(|row| row.iter().max()).sum();
        Some(Agreement {
            purity: largest as f64 / n,
            nmi: self.nmi(&clusters, &classes, n),
            ari: self.ari(&clusters, &classes, n),
            accuracy: self.matched() as f64 / n,
        })
    }

    fn nmi(&self, clusters: &[usize], classes: &[usize], n: f64) -> f64 {
        let entropy = |sizes: &[usize]| -> f64 {
            let shares = sizes.iter().filter(|&&size| size > 0).map(|&size| size as f64 / n);
            shares.map(|p| -p * p.ln()).sum()
        };
        let mut information = 0.0;
        for (row, &cluster) in self.counts.iter().zip(clusters) {
            for (&count, &class) in row.iter().zip(classes).filter(|(count, _)| **count > 0) {
                let both = count as f64 / n;
                information += both * (both * n * n / (cluster as f64 * class as f64)).ln();
            }
        }
        let mean = 0.5 * (entropy(clusters) + entropy(classes));
        // Two partitions into one part each agree.
        if mean > 0.0 { information / mean } else { 1.0 }
    }

    fn ari(&self, clusters: &[usize], classes: &[usize], n: f64) -> f64 {
        let pairs = |count: usize| count as f64 * (count as f64 - 1.0) / 2.0;
        let both: f64 = self.counts.iter().flatten().map(|&count| pairs(count)).sum();
        let [within_clusters, within_classes] =
            [clusters, classes].map(|sizes| sizes.iter().map(|&size| pairs(size)).sum::<f64>());
        let expected = within_clusters * within_classes / (n * (n - 1.0) / 2.0).max(1.0);
        let most = 0.5 * (within_clusters + within_classes);
        if most == expected { 1.0 } else { (both - expected) / (most - expected) }
    }

    /// Rows that are right under the best one-to-one assignment of clusters to classes.
    fn matched(&self) -> i64 {
        let side = self.counts.len().max(self.counts.first().map_or(0, Vec::len));
        let count = |(cluster, class): (usize, usize)| {
            self.counts.get(cluster).and_then(|row| row.get(class)).map_or(0, |&count| count as i64)
        };
        kuhn_munkres(&Matrix::from_fn(side, side, count)).0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn agreement(counts: &[&[usize]]) -> Agreement {
        Contingency { counts: counts.iter().map(|row| row.to_vec()).collect() }.agreement().unwrap()
    }

    #[test]
    fn the_right_partition_is_perfect_whatever_its_names() {
        let perfect = agreement(&[&[0, 7, 0], &[5, 0, 0], &[0, 0, 9]]);
        for value in [perfect.purity, perfect.nmi, perfect.ari, perfect.accuracy] {
            assert!((value - 1.0).abs() < 1e-12, "{perfect:?}");
        }
    }

    /// Worked by hand: 3 clusters, 2 classes, 10 rows. Pairs: both 3 + 1 + 1 = 5, clusters 6 + 3 + 3 = 12,
    /// classes 10 + 10 = 20, all 45: ARI = (5 − 16/3)/(16 − 16/3).
    #[test]
    fn the_measures_are_those_of_the_definitions() {
        let a = agreement(&[&[3, 1], &[2, 1], &[0, 3]]);
        let b = agreement(&[&[1, 3], &[2, 1], &[2, 1]]);
        assert!((a.purity - 0.8).abs() < 1e-12 && (a.accuracy - 0.6).abs() < 1e-12, "{a:?}");
        let expected = 12.0 * 20.0 / 45.0;
        assert!((b.ari - (5.0 - expected) / (16.0 - expected)).abs() < 1e-12, "{b:?}");
        let h = |p: &[f64]| -> f64 { p.iter().map(|p| -p * p.ln()).sum() };
        let joint = h(&[0.1, 0.3, 0.2, 0.1, 0.2, 0.1]);
        let (clusters, classes) = (h(&[0.4, 0.3, 0.3]), h(&[0.5, 0.5]));
        let nmi = (clusters + classes - joint) / (0.5 * (clusters + classes));
        assert!((b.nmi - nmi).abs() < 1e-12, "{b:?} {nmi}");
    }

    #[test]
    fn one_cluster_for_all_is_worth_nothing() {
        let one = agreement(&[&[5, 5, 2], &[0, 0, 0], &[0, 0, 0]]);
        assert!((one.purity - 5.0 / 12.0).abs() < 1e-12 && one.nmi.abs() < 1e-12 && one.ari.abs() < 1e-12, "{one:?}");
        assert!(Contingency { counts: vec![vec![0; 3]; 2] }.agreement().is_none());
    }
}
