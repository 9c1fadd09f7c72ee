//! Names that are nearly right.

use crate::spelling::distance;

/// Names that are told where one is not known.
const NEAREST: usize = 4;

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
mod tests {
    use super::*;

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
