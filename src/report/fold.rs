//! Text in lines that fit.

use std::borrow::Cow;

/// In place of what is left out.
pub(super) const ELLIPSIS: &str = "…";

/// At most so many characters of a name, the last of them an ellipsis where it has more; what is no letter but acts, as a line
/// break in a folder's name does, is a space.
///
/// ```
/// use gpu_ae::report::brief;
///
/// assert_eq!(brief("tabby", 8), "tabby");
/// assert_eq!(brief("tabby cats", 8), "tabby c…");
/// ```
pub fn brief(name: &str, most: usize) -> Cow<'_, str> {
    let is_long = name.chars().nth(most).is_some();
    if !is_long && !name.contains(char::is_control) {
        return Cow::Borrowed(name);
    }
    let kept = if is_long { most.saturating_sub(1) } else { most };
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    let mut shown: String = name.chars().take(kept).map(plain).collect();
    if is_long {
        shown.push_str(ELLIPSIS);
    }
    Cow::Owned(shown)
}

/// `text` in lines for which `fits` is true, broken between words, and within a word that alone is too long for a line.
/// Every line has a character at least, even where none fits.
pub(super) fn folded(text: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or("", String::as_str);
        let longer = if line.is_empty() { word.to_string() } else { format!("{line} {word}") };
        if fits(&longer) {
            lines.pop();
            lines.push(longer);
            continue;
        }
        let mut part = String::new();
        for letter in word.chars() {
            part.push(letter);
            if !fits(&part) && part.chars().count() > 1 {
                part.pop();
                lines.push(std::mem::replace(&mut part, letter.to_string()));
            }
        }
        lines.push(part);
    }
    if lines.len() > 1 && lines[0].is_empty() {
        lines.remove(0);
    }
    lines
}

/// A text whose lines are at most `width` columns long, broken between words alone: what a word longer than that does, such as
/// a path, is the terminal's to say. What begins with spaces is broken to lines that do.
///
/// ```
/// use gpu_ae::report::wrapped;
///
/// assert_eq!(wrapped("a few short words", 11), "a few short\nwords");
/// ```
pub fn wrapped(text: &str, width: usize) -> String {
    let line = |line: &str| {
        if line.chars().count() <= width {
            return line.to_string();
        }
        let indent: String = line.chars().take_while(|letter| *letter == ' ').collect();
        let mut lines: Vec<String> = Vec::new();
        for word in line.split_whitespace() {
            match lines.last_mut() {
                Some(last) if last.chars().count() + 1 + word.chars().count() <= width => {
                    last.push(' ');
                    last.push_str(word);
                }
                _ => lines.push(format!("{indent}{word}")),
            }
        }
        lines.join("\n")
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_end_in_an_ellipsis_and_have_no_line_breaks() {
        assert_eq!(brief("λλλλ", 4), "λλλλ");
        assert_eq!(brief("λλλλλ", 4), "λλλ…");
        assert_eq!(brief("a\nb\u{1b}", 9), "a b ");
    }

    #[test]
    fn notices_are_broken_between_words_alone() {
        assert_eq!(
            wrapped("error: see /a/very/long/path/of/a/file for more", 12),
            "error: see\n/a/very/long/path/of/a/file\nfor more"
        );
        assert_eq!(wrapped("  two  spaces  stay", 40), "  two  spaces  stay");
        assert_eq!(wrapped("  indented lines stay so\nnext", 12), "  indented\n  lines stay\n  so\nnext");
        assert_eq!(wrapped("", 0), "");
    }

    #[test]
    fn lines_are_broken_between_words_and_within_long_ones() {
        let at = |text: &str, most: usize| folded(text, |line| line.chars().count() <= most);
        assert_eq!(at("a few short words", 9), ["a few", "short", "words"]);
        assert_eq!(at("a few short words", 17), ["a few short words"]);
        assert_eq!(at("see incomprehensible", 8), ["see", "incompre", "hensible"]);
        assert_eq!(at("λλλ", 0), ["λ", "λ", "λ"]);
        assert_eq!(at("", 5), [""]);
    }
}
