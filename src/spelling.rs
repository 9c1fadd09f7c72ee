//! How near two names are to one another, for who has mistyped one.

/// How many letters must be put in, left out or changed to make one word of another (Levenshtein, 1966).
pub(crate) fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (place, letter) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], place + 1);
        for (other, wanted) in to.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *wanted);
            diagonal = row[other + 1];
            row[other + 1] = changed.min(diagonal + 1).min(row[other] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_letters() {
        let cases = [("", "abc", 3), ("kitten", "sitting", 3), ("optimizer", "optimiser", 1), ("same", "same", 0)];
        cases.iter().for_each(|(a, b, wanted)| assert_eq!((distance(a, b), distance(b, a)), (*wanted, *wanted)));
    }
}
