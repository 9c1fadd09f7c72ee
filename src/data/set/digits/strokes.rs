//! The stroke skeletons in `assets/digits.txt`; that file describes its own format.

use crate::error::{Error, Result};

const ASSET: &str = include_str!("../../../../assets/digits.txt");
const ASSET_PATH: &str = "assets/digits.txt";

/// A point that the pen passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knot {
    /// Position, x to the right and y downwards, a digit about 100 high.
    pub at: [f32; 2],
    /// Whether the pen turns sharply here.
    pub corner: bool,
}

/// One way to write a digit: a list of strokes, each in writing order.
#[derive(Clone, Debug)]
pub struct Style {
    weight: f32,
    /// The paths of the pen, at least two knots each.
    pub strokes: Vec<Vec<Knot>>,
}

/// Every style of every digit; no digit is without one.
#[derive(Clone, Debug, Default)]
pub struct Alphabet {
    styles: [Vec<Style>; 10],
}

impl Alphabet {
    /// The alphabet that this crate carries.
    pub fn built_in() -> Result<Self> {
        Self::parse(ASSET)
    }

    /// Reads the text format of `assets/digits.txt`; an error names the line.
    pub fn parse(text: &str) -> Result<Self> {
        let mut alphabet = Alphabet::default();
        let mut current: Option<&mut Style> = None;
        for (number, line) in text.lines().enumerate() {
            let wrong = |problem: &str| Error::input(ASSET_PATH, format!("line {}: {problem}", number + 1));
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            match words.next() {
                None => {}
                Some("style") => {
                    let (digit, style) = style_header(words)
                        .ok_or_else(|| wrong("expected `style DIGIT NAME WEIGHT`, the digit 0 to 9, the weight > 0"))?;
                    let styles = &mut alphabet.styles[digit];
                    styles.push(style);
                    current = styles.last_mut();
                }
                Some("stroke") => {
                    let knots: Option<Vec<Knot>> = words.map(knot).collect();
                    let knots = knots
                        .filter(|knots| knots.len() >= 2)
                        .ok_or_else(|| wrong("expected `stroke` and at least two points `X,Y` or `X,Y!`"))?;
                    let style = current.as_mut().ok_or_else(|| wrong("a stroke before the first `style`"))?;
                    style.strokes.push(knots);
                }
                Some(word) => return Err(wrong(&format!("expected `style` or `stroke`, found `{word}`"))),
            }
        }
        for (digit, styles) in alphabet.styles.iter().enumerate() {
            if styles.is_empty() || styles.iter().any(|style| style.strokes.is_empty()) {
                let problem = format!("digit {digit} has no style, or a style without strokes");
                return Err(Error::input(ASSET_PATH, problem));
            }
        }
        Ok(alphabet)
    }

    /// A style of `digit` in 0..10, chosen by weight with `u` uniform in [0, 1).
    pub fn choose(&self, digit: u8, u: f32) -> &Style {
        let styles = &self.styles[usize::from(digit)];
        let mut left = u * styles.iter().map(|style| style.weight).sum::<f32>();
        let mut chosen = 0;
        while chosen + 1 < styles.len() && left >= styles[chosen].weight {
            left -= styles[chosen].weight;
            chosen += 1;
        }
        &styles[chosen]
    }
}

/// `DIGIT NAME WEIGHT`; the name is for the reader of the file alone.
fn style_header<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<(usize, Style)> {
    let digit = words.next()?.parse().ok().filter(|&digit: &usize| digit < 10)?;
    words.next()?;
    let weight = words.next()?.parse().ok().filter(|&weight: &f32| weight > 0.0 && weight.is_finite())?;
    words.next().is_none().then_some((digit, Style { weight, strokes: Vec::new() }))
}

fn knot(word: &str) -> Option<Knot> {
    let (point, corner) = match word.strip_suffix('!') {
        Some(point) => (point, true),
        None => (word, false),
    };
    let (x, y) = point.split_once(',')?;
    let at: [f32; 2] = [x.parse().ok()?, y.parse().ok()?];
    // Also refuses NaN, so that what follows need not expect it.
    at.iter().all(|v| v.abs() <= 1000.0).then_some(Knot { at, corner })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_has_several_styles_of_plausible_size() {
        let alphabet = Alphabet::built_in().unwrap();
        for (digit, styles) in alphabet.styles.iter().enumerate() {
            assert!(styles.len() >= 5, "digit {digit} has {} styles", styles.len());
            for at in styles.iter().flat_map(|s| &s.strokes).flatten().map(|knot| knot.at) {
                assert!(at.iter().all(|v| (-20.0..=120.0).contains(v)), "digit {digit} has a point at {at:?}");
            }
        }
    }

    #[test]
    fn knots_and_comments_are_read_as_documented() {
        let mut text = String::from("# heading\n\nstyle 0 ring 2 # words\nstroke 1,2 3.5,-4! 5,6\n");
        for digit in 1..10 {
            text += &format!("style {digit} line 1\nstroke 0,0 0,100\n");
        }
        let alphabet = Alphabet::parse(&text).unwrap();
        let stroke = &alphabet.choose(0, 0.5).strokes[0];
        assert_eq!(stroke[1], Knot { at: [3.5, -4.0], corner: true });
        assert_eq!(stroke[2], Knot { at: [5.0, 6.0], corner: false });
    }

    #[test]
    fn styles_are_chosen_in_proportion_to_their_weights() {
        let mut text = String::from("style 0 rare 1\nstroke 0,0 1,1\nstyle 0 common 3\nstroke 0,0 2,2\n");
        for digit in 1..10 {
            text += &format!("style {digit} line 1\nstroke 0,0 0,100\n");
        }
        let alphabet = Alphabet::parse(&text).unwrap();
        let rare = (0..100).filter(|&i| alphabet.choose(0, i as f32 / 100.0).weight == 1.0).count();
        assert_eq!(rare, 25);
    }

    #[test]
    fn malformed_text_is_an_error_that_names_the_line() {
        let bad = [
            "stroke 0,0 1,1",
            "style 10 a 1",
            "style x a 1",
            "style 1 a 0",
            "style 1 a nan",
            "style 1 a",
            "style 1 a 1 extra",
            "style 1 a 1\nstroke 0,0",
            "style 1 a 1\nstroke 0,0 1;1",
            "style 1 a 1\nstroke 0,0 nan,1",
            "style 1 a 1\nstroke 0,0 1001,1",
            "curve 1",
        ];
        for text in bad {
            let error = Alphabet::parse(text).unwrap_err().to_string();
            assert!(error.contains("line "), "{text:?} gives {error:?}");
        }
        for text in ["", "style 0 a 1", "style 0 a 1\nstroke 0,0 1,1"] {
            assert!(Alphabet::parse(text).is_err(), "{text:?} lacks digits");
        }
    }
}
