//! Labels of rows: numbers, texts or one of many on, and the classes that they make.

use std::collections::BTreeSet;
#[cfg(feature = "native")]
use std::fs::File;
use std::io::Read;
#[cfg(feature = "native")]
use std::path::{Path, PathBuf};

use super::element::Kind;
use super::elements;
use super::header::{Header, MAGIC};
use super::origin::Origin;
use crate::data::format::idx;
#[cfg(feature = "native")]
use crate::data::options::DataOptions;
#[cfg(feature = "native")]
use crate::error::Error;
use crate::error::Result;

/// Most classes: a class's number has 16 bits, and one of them is none.
const MOST_CLASSES: usize = u16::MAX as usize;
/// Values of a label of QMNIST, the first of which is the class.
const QMNIST_VALUES: usize = 8;

/// The labels of some rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Labels {
    /// A number each.
    Numbers(Vec<i64>),
    /// The place of the one that is on, of so many.
    Places(Vec<i64>, usize),
    /// A text each.
    Texts(Vec<String>),
}

impl Labels {
    /// Reads as many labels as there are `rows` of `what`. `is_first` says that of several values the first is the class.
    ///
    /// # Errors
    /// When there are fewer or more, or they are none.
    pub fn read(
        header: &Header,
        input: &mut dyn Read,
        origin: &Origin,
        (rows, what): (usize, &str),
        is_first: bool,
    ) -> Result<Labels> {
        let refuse = |problem: &str| Err(origin.error(format!("is an array {}, {problem}", header.spelt())));
        let expected =
            "expected labels: [rows] of whole numbers or texts, or [rows, classes] with a single 1 in each row";
        let width = match header.shape[..] {
            [_] => 1,
            [_, width] if width > 0 => width,
            _ => return refuse(expected),
        };
        if header.rows() != rows {
            return refuse(&format!("expected {rows} labels, one for each row of {what}"));
        }
        let is_text = matches!(header.element.kind, Kind::Text | Kind::Bytes) && header.element.size > 0;
        if header.element.kind == Kind::Object {
            return refuse("objects of Python are never unpickled; in NumPy, array.astype('U') gives texts");
        }
        if !(is_text && width == 1 || header.element.is_number()) || rows == 0 {
            return refuse(expected);
        }
        let is_first = is_first && width == QMNIST_VALUES;
        if width > MOST_CLASSES {
            return refuse(&format!("expected at most {MOST_CLASSES} classes"));
        }
        let bytes = elements::words(header, input, origin)?;
        let word = |row: usize, column: usize| {
            let place = if header.is_fortran { column * rows + row } else { row * width + column };
            &bytes[place * header.element.size..][..header.element.size]
        };
        if is_text {
            let text = |row| {
                let text = header.element.text(word(row, 0));
                text.ok_or_else(|| origin.error(format!("row {row} has a label that is no text")))
            };
            return (0..rows).map(text).collect::<Result<_>>().map(Labels::Texts);
        }
        let number = |row: usize, column: usize| {
            let number = header.element.whole(word(row, column));
            number
                .ok_or_else(|| origin.error(format!("row {row} has a label that is no whole number, expected a class")))
        };
        if width == 1 || is_first {
            return (0..rows).map(|row| number(row, 0)).collect::<Result<_>>().map(Labels::Numbers);
        }
        let place = |row: usize| {
            let mut on = None;
            for column in 0..width {
                match number(row, column)? {
                    0 => {}
                    1 if on.is_none() => on = Some(column as i64),
                    _ => {
                        on = None;
                        break;
                    }
                }
            }
            on.ok_or_else(|| origin.error(format!("row {row} has not a single 1 and else zeros, {expected}")))
        };
        (0..rows).map(place).collect::<Result<_>>().map(|places| Labels::Places(places, width))
    }
}

/// The names of the classes of all these labels, and the class of each row of each of them. Numbers are in their order, and
/// so are texts.
///
/// # Errors
/// When there are too many, or texts and numbers; `origin` says what of.
pub(super) fn classes(all: &[Labels], origin: &Origin) -> Result<(Vec<String>, Vec<Vec<u16>>)> {
    fn numbered<T: Ord + Clone + ToString>(
        all: &[&[T]],
        known: BTreeSet<T>,
        origin: &Origin,
    ) -> Result<(Vec<String>, Vec<Vec<u16>>)> {
        let mut different = known;
        for label in all.iter().copied().flatten() {
            if !different.contains(label) {
                different.insert(label.clone());
            }
            if different.len() > MOST_CLASSES {
                return Err(origin.error(format!("has more than {MOST_CLASSES} different labels, expected classes")));
            }
        }
        let names: Vec<T> = different.into_iter().collect();
        let class = |label: &T| names.binary_search(label).unwrap_or_default() as u16;
        let classes = all.iter().map(|labels| labels.iter().map(class).collect()).collect();
        Ok((names.iter().map(T::to_string).collect(), classes))
    }
    let numbers: Option<Vec<&[i64]>> = all
        .iter()
        .map(|labels| match labels {
            Labels::Numbers(numbers) | Labels::Places(numbers, _) => Some(&numbers[..]),
            Labels::Texts(_) => None,
        })
        .collect();
    let texts: Option<Vec<&[String]>> = all
        .iter()
        .map(|labels| match labels {
            Labels::Texts(texts) => Some(&texts[..]),
            _ => None,
        })
        .collect();
    match (numbers, texts) {
        (Some(numbers), _) => {
            let places = all.iter().map(|labels| if let Labels::Places(_, of) = labels { *of as i64 } else { 0 });
            let known = (0..places.max().unwrap_or(0)).collect();
            numbered(&numbers, known, origin)
        }
        (None, Some(texts)) => numbered(&texts, BTreeSet::new(), origin),
        (None, None) => Err(origin.error("has labels that are numbers and labels that are texts, expected either")),
    }
}

/// The header of a file of NumPy or IDX, and what follows it; `open` brings its bytes from the first one on, unpacked, and an IDX file of more
/// than `most` bytes is not believed.
///
/// # Errors
/// When it is neither, or cannot be read.
pub(super) fn opened<'a>(
    open: impl Fn() -> std::io::Result<Box<dyn Read + 'a>>,
    origin: &Origin,
    most: (u64, &str),
) -> Result<(Header, Box<dyn Read + 'a>)> {
    let open = || open().map_err(|error| origin.unreadable(error));
    let mut first = Vec::new();
    open()?.take(MAGIC.len() as u64).read_to_end(&mut first).map_err(|error| origin.unreadable(error))?;
    let mut input = open()?;
    let header = if idx::is_magic(&first) {
        idx::header(&mut input, origin, None, most)?
    } else {
        Header::read_numpy(&mut input).map_err(|problem| origin.error(problem))?
    };
    Ok((header, input))
}

/// The file that `--label` names: beside `path`, or where it says.
#[cfg(feature = "native")]
pub(super) fn file_beside(path: &Path, label: &str) -> PathBuf {
    path.parent().map_or_else(|| PathBuf::from(label), |folder| folder.join(label))
}

/// Reads the labels of `rows` of `what` from a file of their own, of NumPy or IDX.
///
/// # Errors
/// When there is no such file, it is damaged, or holds something else.
#[cfg(feature = "native")]
pub(super) fn read_file(path: &Path, rows: (usize, &str), options: &DataOptions) -> Result<Labels> {
    let origin = Origin::file(path);
    if !path.is_file() {
        let problem = "no such file, expected a .npy or IDX file with the labels, beside the rows or by its whole path";
        return Err(Error::Usage(format!("--label '{}': {problem}", path.display())));
    }
    let open = || File::open(path).and_then(idx::decompressed);
    let (header, mut input) = opened(open, &origin, super::files::most(options))?;
    super::files::check_size(header.bytes(), options, &origin)?;
    Labels::read(&header, &mut input, &origin, rows, true)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::element::Element;
    use super::*;

    fn read(spelt: &str, shape: &[u64], is_fortran: bool, bytes: &[u8]) -> Result<Labels> {
        let header = Header::new(shape, Element::of_numpy(spelt), is_fortran, 0).unwrap();
        let origin = Origin::file(Path::new("y.npy"));
        Labels::read(&header, &mut &bytes[..], &origin, (shape[0] as usize, "x.npy"), false)
    }

    #[test]
    fn numbers_texts_and_places_are_labels() {
        assert_eq!(read("|i1", &[3], false, &[7, 0xff, 7]).unwrap(), Labels::Numbers(vec![7, -1, 7]));
        assert_eq!(read("|i1", &[2, 1], false, &[7, 1]).unwrap(), Labels::Numbers(vec![7, 1]));
        assert_eq!(read("|S2", &[2], false, b"abc\0").unwrap(), Labels::Texts(vec!["ab".into(), "c".into()]));
        assert_eq!(read("|u1", &[2, 3], false, &[0, 0, 1, 1, 0, 0]).unwrap(), Labels::Places(vec![2, 0], 3));
        assert_eq!(read("|u1", &[2, 3], true, &[0, 1, 0, 0, 1, 0]).unwrap(), Labels::Places(vec![2, 0], 3));
    }

    #[test]
    fn what_is_no_label_is_refused_by_its_row() {
        for (spelt, shape, bytes, named) in [
            ("|u1", &[2, 2][..], &[1u8, 0, 1, 1][..], "row 1 has not a single 1"),
            ("|u1", &[2, 2], &[1, 0, 0, 0], "row 1 has not a single 1"),
            ("<f4", &[1], &[0, 0, 0, 63], "row 0 has a label that is no whole number"),
            ("|u1", &[2, 2, 2], &[0; 8], "expected labels"),
            ("<U0", &[2], &[], "expected labels"),
            ("|O", &[2], &[0; 16], "never unpickled"),
            ("|u1", &[4], &[1, 2], "truncated"),
            ("|u1", &[1], &[1, 2], "too long"),
            ("|S1", &[1], &[0xff], "row 0 has a label that is no text"),
        ] {
            let message = read(spelt, shape, false, bytes).unwrap_err().to_string();
            assert!(message.contains(named), "{message} does not name {named}");
        }
    }

    #[test]
    fn classes_are_all_that_occur_in_order() {
        let origin = Origin::file(Path::new("x.npz"));
        let of = |all: &[Labels]| classes(all, &origin);
        let (names, found) = of(&[Labels::Numbers(vec![10, 9]), Labels::Numbers(vec![-1, 10])]).unwrap();
        assert_eq!((names, found), (vec!["-1".into(), "9".into(), "10".into()], vec![vec![2, 1], vec![0, 2]]));
        let (names, found) = of(&[Labels::Places(vec![2, 0], 4)]).unwrap();
        assert_eq!((names.len(), found), (4, vec![vec![2, 0]]), "a class without a row is one too");
        assert!(of(&[Labels::Texts(vec!["a".into()]), Labels::Numbers(vec![1])]).is_err());
        let many = |count: i64| of(&[Labels::Numbers((0..count).collect())]);
        assert_eq!(many(65_535).unwrap().0.len(), 65_535);
        assert!(many(65_536).unwrap_err().to_string().contains("65535"));
    }
}
