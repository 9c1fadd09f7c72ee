//! Rows of the user's own that are in memory already, divided as the same rows of a file would be.

use super::divide::{ONE_ROW, tested};
use super::scaling::{self, Scaling};
use super::{Dataset, Encoding, Split};
use crate::error::{Error, Result};

/// The data set of all these rows, a share of which is tested with: chosen by a hash of each row's name under this seed, or of its
/// number where rows have no names. Without a share, all rows are learnt from and tested with.
///
/// # Errors
/// When there are fewer than two rows; the message begins with the data's name.
pub fn dataset(name: &str, encoding: Encoding, all: &Split, seed: u64, share: f32) -> Result<Dataset> {
    if all.rows < 2 {
        return Err(Error::Usage(format!("{name}: {ONE_ROW}")));
    }
    let is_tested = match share {
        0.0 => Vec::new(),
        _ => tested((0..all.rows).map(|row| all.name(row)), seed, f64::from(share)),
    };
    let on = |side: bool| match is_tested.is_empty() {
        true => all.clone(),
        false => all.only(&(0..all.rows).filter(|&row| is_tested[row] == side).collect::<Vec<_>>()),
    };
    let [train, test] = [false, true].map(on);
    let Scaling { maps, stored, range } = scaling::find(&train, encoding.image, None);
    let [train, test] = [train, test].map(|split| scaling::apply(split, encoding.image, &maps));
    let encoding = Encoding { scale: maps, stored, range, ..encoding };
    Ok(Dataset { name: name.into(), encoding, train, validation: Split::default(), test })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::ImageShape;
    use crate::data::options::USUAL_TEST;

    #[test]
    fn rows_are_divided_by_their_names_and_one_row_is_refused() {
        let of = |rows: usize| {
            let all = Split::of_bytes(2, (0..2 * rows).map(|value| value as u8).collect(), Vec::new());
            dataset("own", Encoding::images(ImageShape::row(2), Vec::new()), &all, 3, USUAL_TEST)
        };
        let (few, many) = (of(50).unwrap(), of(500).unwrap());
        assert_eq!((few.train.rows + few.test.rows, many.train.rows + many.test.rows), (50, 500));
        // What is tested with stays so whatever is added.
        let names = |data: &Dataset| (0..data.test.rows).map(|row| data.test.name(row).to_string()).collect::<Vec<_>>();
        assert!(names(&many).starts_with(&names(&few)) && !names(&few).is_empty());
        assert_eq!(few.test.raw(0), many.test.raw(0));
        let all = Split::of_bytes(2, vec![7; 20], Vec::new());
        let whole = dataset("own", Encoding::images(ImageShape::row(2), Vec::new()), &all, 3, 0.0).unwrap();
        assert_eq!((whole.train.rows, whole.test.rows), (10, 10));
        assert!(of(1).unwrap_err().to_string().starts_with("own: one row"));
    }
}
