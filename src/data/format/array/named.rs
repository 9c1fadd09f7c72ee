//! Arrays by their names: those of a .npz, or of a folder of .npy files.

use super::files::{Files, short};
use super::header::Header;
use super::label::Labels;
use super::origin::Origin;
use super::{Rows, found, values};
use crate::data::found::{Found, Listener, Part, Reading, Side};
use crate::data::options::DataOptions;
use crate::error::{Error, Result, shortened};

/// What arrays of rows are called, whatever side is said beside it.
const ROWS: &[&str] =
    &["x", "xs", "images", "image", "imgs", "img", "data", "features", "inputs", "input", "samples", "arr_0"];
/// What arrays of labels are called.
const LABELS: &[&str] = &["y", "ys", "labels", "label", "targets", "target", "classes", "class", "arr_1"];
/// How `numpy.savez` calls what it is given without a name.
const UNNAMED: &str = "arr_";
/// Most characters that a message lists of arrays.
const LISTED: usize = 400;

/// An array before its elements.
struct Array {
    place: usize,
    name: String,
    side: Side,
    /// Its name without the side.
    rest: String,
    header: Header,
}

/// The side that a name says, and the rest of it.
fn sided(name: &str) -> (Side, String) {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let rest: Vec<&str> = words.filter(|word| Side::of_name(word) == Side::Unsaid).collect();
    (Side::of_name(&lower), rest.join("_"))
}

/// Whether an array of this name holds rows.
pub(super) fn is_known(name: &str) -> bool {
    let (side, rest) = sided(name);
    is_rows(side, &rest)
}

fn is_rows(side: Side, rest: &str) -> bool {
    ROWS.contains(&rest) || (rest.is_empty() && side != Side::Unsaid)
}

/// Reads the arrays of rows and of labels that names tell, or `--key` and `--label` choose.
///
/// # Errors
/// When none or several may be meant, listing them all; when one is damaged or does not fit.
pub(super) fn read(files: &mut Files, options: &DataOptions, listener: &mut dyn Listener) -> Result<Found> {
    let whole = Origin::file(&files.path);
    let mut all = Vec::new();
    for place in 0..files.names.len() {
        let Some(name) = short(&files.names[place]).strip_suffix(".npy").map(str::to_string) else { continue };
        let origin = files.origin(place);
        let header = Header::read_numpy(&mut files.open(place)?).map_err(|problem| origin.error(problem))?;
        let (side, rest) = sided(&name);
        all.push(Array { place, name, side, rest, header });
    }
    if all.is_empty() {
        return Err(whole.error("expected arrays of NumPy, each a .npy, found none"));
    }
    let pairs = chosen(&all, options, &whole)?;
    let left_out: Vec<&str> = all
        .iter()
        .filter(|array| !pairs.iter().any(|(x, y)| [Some(x.place), y.map(|y| y.place)].contains(&Some(array.place))))
        .map(|array| array.name.as_str())
        .collect();
    if !left_out.is_empty() {
        listener.notice(format!("{}: left out: {}", whole.name(), shortened(&left_out.join(", "), LISTED)));
    }
    let (mut rows, of, mut bytes) = (Vec::new(), pairs.len() as u64, 0u64);
    for (array, labels) in pairs {
        for chosen in [Some(array), labels].into_iter().flatten() {
            bytes = bytes.saturating_add(chosen.header.bytes());
            files.check_size(chosen.place, bytes, options)?;
        }
        let origin = files.origin(array.place);
        let mut input = files.open(array.place)?;
        let header = Header::read_numpy(&mut input).map_err(|problem| origin.error(problem))?;
        let (image, values) = values(&header, false, &mut input, &origin, listener)?;
        drop(input);
        let labels = match labels {
            Some(labels) => {
                let of = (header.rows(), &array.name[..]);
                let origin = files.origin(labels.place);
                let mut input = files.open(labels.place)?;
                let header = Header::read_numpy(&mut input).map_err(|problem| origin.error(problem))?;
                Some(Labels::read(&header, &mut input, &origin, of, false)?)
            }
            None => None,
        };
        let part = Part { side: array.side, values, ..Part::default() };
        rows.push(Rows { origin, image, part, labels });
        listener.reading(Reading { done: rows.len() as u64, of, unit: "arrays" });
    }
    found(rows, &whole, listener)
}

/// "x [3, 4] of float32, y [3] of int64".
fn list(all: &[Array]) -> String {
    let spelt: Vec<String> = all.iter().map(|array| format!("{} {}", array.name, array.header.spelt())).collect();
    shortened(&spelt.join(", "), LISTED).into_owned()
}

/// Each array of rows that is meant, with its labels.
fn chosen<'a>(all: &'a [Array], options: &DataOptions, whole: &Origin) -> Result<Vec<(&'a Array, Option<&'a Array>)>> {
    let ambiguous = |problem: &str| {
        let flags = "--key NAME chooses that of the rows, --label NAME that of their labels";
        Err(whole.error(format!("{problem}: {}; {flags}", list(all))))
    };
    let rows = match &options.key {
        Some(key) => wanted(all, "--key", key, whole)?,
        None => {
            // What has no names tells rows from labels only where it is both.
            let unnamed = all.iter().filter(|array| array.rest.starts_with(UNNAMED)).count();
            let [first, second] = [0, 1].map(|number| {
                all.iter().find(|array| array.rest == format!("{UNNAMED}{number}")).map(|array| &array.header)
            });
            let fits = match (first, second) {
                (Some(first), Some(second)) => {
                    first.rows() == second.rows() && second.shape.len() < first.shape.len().max(3)
                }
                _ => true,
            };
            if options.label.is_none() && (unnamed > 2 || !fits) {
                return ambiguous("has several arrays without names, of which any may be the rows");
            }
            let known: Vec<&Array> = all.iter().filter(|array| is_rows(array.side, &array.rest)).collect();
            match (&known[..], all) {
                ([], [only]) => vec![only],
                ([], _) => return ambiguous("has no array whose name says that it holds the rows"),
                _ => known,
            }
        }
    };
    let labels: Vec<&Array> = match &options.label {
        Some(label) => wanted(all, "--label", label, whole)?,
        None => all.iter().filter(|array| LABELS.contains(&array.rest.as_str())).collect(),
    };
    let is_one = rows.len() == 1 && labels.len() == 1 && options.label.is_some();
    let mut pairs: Vec<(&Array, Option<&Array>)> = Vec::new();
    for array in rows {
        if pairs.iter().any(|(other, _)| other.side == array.side) {
            return ambiguous("has several arrays that may be the rows");
        }
        let of: Vec<&Array> = labels
            .iter()
            .copied()
            .filter(|labels| labels.place != array.place && (is_one || labels.side == array.side))
            .collect();
        match of[..] {
            [] => match &options.label {
                Some(label) => {
                    let problem = format!("are no labels of {}, expected some of all rows", array.name);
                    let advice = "--key NAME chooses one array of rows";
                    let whole = whole.path.display();
                    return Err(Error::Usage(format!("--label {label}: {problem} in {whole}; {advice}")));
                }
                None => pairs.push((array, None)),
            },
            [labels] => pairs.push((array, Some(labels))),
            _ => return ambiguous("has several arrays that may be the labels"),
        }
    }
    Ok(pairs)
}

/// The arrays that a flag names: one of exactly this name, or of each side the one that is called so beside its side.
fn wanted<'a>(all: &'a [Array], flag: &str, name: &str, whole: &Origin) -> Result<Vec<&'a Array>> {
    let of = |is: &dyn Fn(&Array) -> bool| all.iter().filter(|array| is(array)).collect::<Vec<_>>();
    let lower = name.to_lowercase();
    let tried = [
        of(&|array| array.name == name),
        of(&|array| array.name.to_lowercase() == lower),
        of(&|array| array.rest == sided(name).1 && sided(name).0 == Side::Unsaid),
    ];
    tried.into_iter().find(|found| !found.is_empty()).ok_or_else(|| {
        let expected = format!("expected one of: {}", list(all));
        Error::Usage(format!("{flag} {name}: no such array in {}, {expected}", whole.path.display()))
    })
}
