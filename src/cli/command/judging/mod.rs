//! What a trained model is worth: how well its codes tell classes apart, how easily it is deceived, what it looks at.

pub mod attack;
pub mod probe;
pub mod saliency;

/// Reads a number of at least 0 for the command line, as a decimal or a fraction.
fn not_negative(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let value = match text.split_once('/') {
        Some((of, by)) => number(of).zip(number(by)).map(|(of, by)| of / by),
        None => number(text),
    };
    let value = value.filter(|value| value.is_finite() && *value >= 0.0);
    value.ok_or_else(|| "expected a number of at least 0, such as 8/255 or 0.03".into())
}

/// The same of a number above 0.
fn positive(text: &str) -> Result<f64, String> {
    let value = not_negative(text).ok().filter(|value| *value > 0.0);
    value.ok_or_else(|| "expected a number above 0, such as 8/255 or 0.03".into())
}

/// A share as percents.
fn percents(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_and_decimals_are_read_and_nothing_else() {
        assert_eq!(
            [not_negative("8/255"), not_negative("0.5"), not_negative(" 1 / 4 ")],
            [Ok(8.0 / 255.0), Ok(0.5), Ok(0.25)]
        );
        assert_eq!(not_negative("0"), Ok(0.0));
        for text in ["", "x", "1/0", "0/0", "-1", "1/2/3", "nan", "inf", "1e999", "/", "-0.0/-1e-999"] {
            assert!(not_negative(text).is_err() || text.starts_with("-0"), "{text}");
            assert!(positive(text).is_err(), "{text}");
        }
        assert!(positive("0").is_err() && positive("1e-9").is_ok());
    }
}
