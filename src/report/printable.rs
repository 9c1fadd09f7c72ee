//! Text that a terminal shows and does not obey: names of files, words of a configuration and what a foreign checkpoint says
//! may hold anything.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal would do something instead of showing a character, or show the text in another order than it has:
/// control characters, and those that turn the direction of writing.
fn acts(character: char) -> bool {
    let turns =
        matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || turns
}

fn escaped<'a>(text: &'a str, kept: &[char]) -> Cow<'a, str> {
    let acts = |character: char| acts(character) && !kept.contains(&character);
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if acts(character) {
            // All of them are in the first plane; writing to a string cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// The text with `\u001b` in place of what a terminal would obey; its lines and tabs stay. It is how TOML and JSON spell such
/// a character, so that a value of theirs stays the same value.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, &['\n', '\t'])
}

/// The same on one line.
pub fn printable_line(text: &str) -> Cow<'_, str> {
    escaped(text, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_spelt_out_and_nothing_else_changes() {
        assert!(matches!(printable("ä – 中\n\tline"), Cow::Borrowed("ä – 中\n\tline")));
        assert_eq!(printable("\u{1b}]0;title\u{7}\r\u{7f}\u{9b}31m"), "\\u001b]0;title\\u0007\\u000d\\u007f\\u009b31m");
        assert_eq!(printable("run\u{202e}gnp.exe"), "run\\u202egnp.exe");
        assert_eq!(printable_line("two\nlines"), "two\\u000alines");
    }

    #[test]
    fn json_stays_the_same_value() {
        let value = "\u{1b}[2J\n\u{7f}\u{9b}\u{2067}";
        let json = serde_json::to_string(value).unwrap_or_default();
        assert_ne!(printable(&json), json, "JSON itself escapes only some of them");
        assert_eq!(serde_json::from_str::<String>(&printable(&json)).ok().as_deref(), Some(value));
    }
}
