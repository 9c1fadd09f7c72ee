//! What tells whether rows are those that were learnt from.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Split;
use crate::threads::prelude::*;

/// Bytes of rows, one behind the other, that are hashed together.
const BLOCK: usize = 1 << 20;
/// Most such blocks that are looked at: of more, so many that are spread evenly, the first and the last among them. Rows
/// that are read window by window because there are too many of them are not all read before the first step.
const MOST_BLOCKS: usize = 64;

/// How many rows there are, and hashes of what they hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// Number of rows.
    pub rows: usize,
    /// SHA-256 of their values as the network gets them.
    pub values: String,
    /// SHA-256 of their classes; none if they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Fingerprint {
    /// Of these rows, in their order.
    pub fn of(rows: &Split) -> Self {
        let bytes = (rows.width * rows.kind().bytes()).max(1);
        let in_block = (BLOCK / bytes).max(1);
        let blocks = rows.rows.div_ceil(in_block);
        let looked_at = blocks.min(MOST_BLOCKS);
        let spread = |place: usize| if looked_at > 1 { place * (blocks - 1) / (looked_at - 1) } else { 0 };
        let places: Vec<usize> = (0..looked_at).map(spread).collect();
        let hashes: Vec<[u8; 32]> = places
            .par_iter()
            .map(|block| {
                let mut hash = Sha256::new();
                let first = block * in_block;
                (first..(first + in_block).min(rows.rows)).for_each(|row| hash.update(rows.raw(row)));
                hash.finalize().into()
            })
            .collect();
        let mut values = Sha256::new();
        values.update((rows.width as u64).to_le_bytes());
        values.update((rows.kind().bytes() as u64).to_le_bytes());
        hashes.iter().for_each(|hash| values.update(hash));
        let labels = rows.is_labelled().then(|| {
            let mut labels = Sha256::new();
            rows.labels.iter().for_each(|label| labels.update(label.to_le_bytes()));
            hex(labels)
        });
        Fingerprint { rows: rows.rows, values: hex(values), labels }
    }

    /// In words, in what rows `now` differ from these; nothing if they are the same. Whether classes matter is said by
    /// `labelled`.
    pub fn difference(&self, now: &Fingerprint, labelled: bool) -> Option<String> {
        if self.rows != now.rows {
            return Some(format!("{} training rows, where there were {}", now.rows, self.rows));
        }
        if self.values != now.values {
            return Some(format!("{} training rows as before, but other values in them", now.rows));
        }
        (labelled && self.labels != now.labels).then(|| "the same training rows, but other classes of them".to_string())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::Values;

    fn of(values: Vec<u8>, labels: Vec<u16>) -> Fingerprint {
        Fingerprint::of(&Split::of_bytes(2, values, labels))
    }

    #[test]
    fn rows_values_and_classes_are_told_apart() {
        let made = of(vec![1, 2, 3, 4], vec![0, 1]);
        assert_eq!(made.difference(&made.clone(), true), None);
        let said = |now: Fingerprint, labelled: bool| made.difference(&now, labelled);
        assert!(said(of(vec![1, 2], vec![0]), false).unwrap().starts_with("1 training rows, where there were 2"));
        assert!(said(of(vec![1, 2, 4, 3], vec![0, 1]), false).unwrap().contains("other values"));
        assert!(said(of(vec![1, 2, 3, 4], vec![1, 1]), true).unwrap().contains("other classes"));
        assert_eq!(said(of(vec![1, 2, 3, 4], vec![1, 1]), false), None);
    }

    #[test]
    fn rows_are_the_same_wherever_they_lie_and_many_are_looked_at_here_and_there() {
        let rows = Split::of_bytes(2, vec![9, 9, 1, 2, 3, 4], Vec::new());
        let chosen = Fingerprint::of(&rows.only(&[1, 2]));
        assert_eq!(chosen, of(vec![1, 2, 3, 4], Vec::new()));
        let floats = Split::new(2, Values::of_floats(vec![0.0; 4]), Vec::new(), Vec::new());
        assert_ne!(Fingerprint::of(&floats).values, of(vec![0; 4], Vec::new()).values);
        let mut many = vec![0; 100 * BLOCK];
        let whole = Fingerprint::of(&Split::of_bytes(BLOCK, many.clone(), Vec::new()));
        let last = many.len() - 1;
        many[last] = 1;
        assert_ne!(Fingerprint::of(&Split::of_bytes(BLOCK, many, Vec::new())), whole);
    }
}
