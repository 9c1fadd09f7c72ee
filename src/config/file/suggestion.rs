//! Names that are nearly right.

use crate::spelling::distance;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_right_is_named_and_nothing_else() {
        let message = |found: &str| format!("unknown field `{found}`, expected one of `optimiser`, `epochs`, `lr`");
        assert!(suggested(&message("optimizer")).ends_with("; did you mean `optimiser`?"));
        assert!(suggested(&message("epoch")).ends_with("; did you mean `epochs`?"));
        assert_eq!(suggested(&message("momentum")), message("momentum"));
        assert_eq!(suggested("missing field `rate`"), "missing field `rate`");
    }
}
