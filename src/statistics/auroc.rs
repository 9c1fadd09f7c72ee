//! How well a score tells two kinds of rows apart.

/// The area under the receiver operating characteristic: the probability that the score of a row that `is_positive` is
/// larger than that of one that is not, half counted where they are equal. None if there are rows of one kind only.
///
/// By the sum of ranks (Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982): with P and N
/// rows of both kinds, (Σ of the ranks of the positive − P(P + 1)/2)/(P N), equal scores sharing their mean rank.
pub fn auroc(scores: &[f32], is_positive: &[bool]) -> Option<f64> {
    let mut rows: Vec<(f32, bool)> = scores.iter().copied().zip(is_positive.iter().copied()).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = rows.iter().filter(|row| row.1).count() as f64;
    let negatives = rows.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    let mut ranks = 0.0;
    let mut before = 0;
    for equal in rows.chunk_by(|a, b| a.0 == b.0) {
        let rank = before as f64 + (equal.len() + 1) as f64 / 2.0;
        ranks += rank * equal.iter().filter(|row| row.1).count() as f64;
        before += equal.len();
    }
    Some((ranks - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stream, stream_key};

    #[test]
    fn values_by_hand() {
        let cases: [(&[f32], &[bool], f64); 6] = [
            (&[0.1, 0.2, 0.3, 0.4], &[false, false, true, true], 1.0),
            (&[0.4, 0.3, 0.2, 0.1], &[false, false, true, true], 0.0),
            (&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true], 0.75),
            (&[5.0, 5.0, 5.0], &[true, false, true], 0.5),
            // Pairs won: 1 of 2 by half for 1.0, 2 of 2 for 3.0.
            (&[1.0, 1.0, 0.5, 3.0], &[true, false, false, true], 0.875),
            (&[-0.0, 0.0], &[true, false], 0.5),
        ];
        for (scores, positive, expected) in cases {
            assert_eq!(auroc(scores, positive), Some(expected), "{scores:?}");
        }
    }

    #[test]
    fn one_kind_alone_has_none() {
        assert_eq!(auroc(&[1.0, 2.0], &[true, true]), None);
        assert_eq!(auroc(&[1.0, 2.0], &[false, false]), None);
        assert_eq!(auroc(&[], &[]), None);
    }

    #[test]
    fn it_is_the_share_of_pairs_won() {
        let mut rng = Rng::new(stream_key(1, Stream::Data));
        let scores: Vec<f32> = (0..200).map(|_| rng.below(40) as f32).collect();
        let positive: Vec<bool> = scores.iter().map(|&score| rng.below(60) < 10 + score as u32).collect();
        let (mut won, mut pairs) = (0.0, 0.0);
        for (a, _) in scores.iter().zip(&positive).filter(|(_, positive)| **positive) {
            for (b, _) in scores.iter().zip(&positive).filter(|(_, positive)| !**positive) {
                pairs += 1.0;
                won += if a > b { 1.0 } else { f64::from(u8::from(a == b)) / 2.0 };
            }
        }
        let found = auroc(&scores, &positive).unwrap();
        assert!((found - won / pairs).abs() < 1e-12 && found > 0.55, "{found}");
    }
}
