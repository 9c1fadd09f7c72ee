//! Where in a file a key stands, so that an error can name its line.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::error::Error;

/// The error of a check as one of a configuration file, with the line of the key that it begins with.
#[cfg(feature = "native")]
pub fn in_file(path: &Path, error: &Error) -> Error {
    in_text(path, &crate::whole_file::read_text(path).unwrap_or_default(), error)
}

/// The same for a file of this text.
pub(super) fn in_text(path: &Path, text: &str, error: &Error) -> Error {
    Error::input(path, at_line(text, &error.to_string()))
}

/// The message of a check as a file's reader needs it: with the line of the key it begins with, if the text of
/// the file has that key, and without the dashes of a flag.
fn at_line(text: &str, message: &str) -> String {
    let (name, rest) = message.split_at(message.find([' ', ':']).unwrap_or(message.len()));
    let key = match name.strip_prefix("--") {
        Some(flag) => flag.replace('-', "_"),
        None => name.to_string(),
    };
    match line(text, &key) {
        Some(number) => format!("line {number}: {key}{rest}"),
        None => message.to_string(),
    }
}

/// Line of a key such as `entropy.alpha`, or `decoder.2.linear` for the second of `[[decoder]]`; if the last
/// part is not written, that of the part before.
fn line(text: &str, key: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut names = key.split('.');
    let (name, value) = document.get_ref().get_key_value(names.next()?)?;
    let (mut place, mut value) = (name.span().start, value);
    for name in names {
        match value.get_ref() {
            DeValue::Table(table) => match table.get_key_value(name) {
                Some((name, inner)) => (place, value) = (name.span().start, inner),
                None => break,
            },
            DeValue::Array(items) => {
                let number: usize = name.parse().ok()?;
                let Some(item) = number.checked_sub(1).and_then(|index| items.get(index)) else { break };
                (place, value) = (item.span().start, item);
            }
            _ => break,
        }
    }
    Some(1 + text[..place].matches('\n').count())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TEXT: &str =
        "lr = 0\n\n[entropy]\nalpha = 2\n\n[[decoder]]\nlinear = 5\n\n[[decoder]]\nactivation = \"relu\"\nlinear = 7\n";

    #[test]
    fn keys_are_found_in_tables_and_lists() {
        let found = ["lr", "entropy.alpha", "decoder.1.linear", "decoder.2.linear", "entropy.beta", "epochs"];
        assert_eq!(found.map(|key| line(TEXT, key)), [Some(1), Some(4), Some(7), Some(11), Some(3), None]);
    }

    #[test]
    fn messages_name_the_line_of_what_they_begin_with() {
        assert_eq!(at_line(TEXT, "--lr 0: expected more"), "line 1: lr 0: expected more");
        assert_eq!(at_line(TEXT, "--batch-size 0: expected more"), "--batch-size 0: expected more");
    }
}
