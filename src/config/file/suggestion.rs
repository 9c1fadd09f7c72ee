//! Names that are nearly right.

/// Names that are told where one is not known.
const NEAREST: usize = 4;

/// How many letters must be put in, left out or changed to make one word of another (Levenshtein, 1966).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

/// The message of serde about a name that is not known, with the known one that was probably meant, if there is one.
pub(super) fn suggested(message: &str) -> String {
    let message = message.trim_end();
    let quoted = |text: &'static str| message.split_once(text).map(|(_, rest)| rest.split('`').skip(1).step_by(2));
    let names = quoted("unknown field").or_else(|| quoted("unknown variant"));
    let mut names = names.into_iter().flatten();
    let Some(found) = names.next() else { return message.to_string() };
    match names.min_by_key(|name| distance(found, name)) {
        Some(name) if distance(found, name) <= (found.len() / 3).clamp(1, 2) => {
            format!("{message}; did you mean `{name}`?")
        }
        _ => message.to_string(),
    }
}

/// The keys that are nearest to one that there is not, by their whole names or their last parts, the nearest first.
pub(super) fn nearest<'a>(key: &str, keys: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let last = |key: &'a str| key.rsplit('.').next().unwrap_or(key);
    let own = key.rsplit('.').next().unwrap_or(key);
    // What the key is a part of, or the other way round, is as near as what differs in two letters.
    let within = |name: &str| own.len() > 2 && (name.contains(own) || own.contains(name)) && name.len() > 2;
    let of = |name: &'a str| {
        let far = distance(key, name).min(distance(own, last(name)));
        (if within(last(name)) { far.min(2) } else { far }, name)
    };
    let mut all: Vec<(usize, &str)> = keys.map(of).collect();
    all.sort_by_key(|(far, _)| *far);
    all.into_iter().map(|(_, name)| name).take(NEAREST).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_letters() {
        let cases = [("", "abc", 3), ("kitten", "sitting", 3), ("optimizer", "optimiser", 1), ("same", "same", 0)];
        cases.iter().for_each(|(a, b, wanted)| assert_eq!((distance(a, b), distance(b, a)), (*wanted, *wanted)));
    }

    #[test]
    fn near_keys_are_those_that_look_alike() {
        let keys = ["lr", "epochs", "lr_schedule.warm_up", "entropy.alpha", "data.size", "batch_size"];
        assert_eq!(nearest("epoch", keys.into_iter())[0], "epochs");
        assert_eq!(nearest("entropy.alfa", keys.into_iter())[0], "entropy.alpha");
        assert_eq!(nearest("warmup", keys.into_iter())[0], "lr_schedule.warm_up");
        assert_eq!(nearest("size", keys.into_iter())[..2], ["data.size", "batch_size"]);
    }

    #[test]
    fn what_is_nearly_right_is_named_and_nothing_else() {
        let message = |found: &str| format!("unknown field `{found}`, expected one of `optimiser`, `epochs`, `lr`");
        assert!(suggested(&message("optimizer")).ends_with("; did you mean `optimiser`?"));
        assert!(suggested(&message("epoch")).ends_with("; did you mean `epochs`?"));
        assert_eq!(suggested(&message("momentum")), message("momentum"));
        assert_eq!(suggested("missing field `rate`"), "missing field `rate`");
    }
}
