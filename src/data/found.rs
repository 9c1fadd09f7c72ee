//! What a reader of files finds, before it is divided into what is trained on and what is tested with.

use super::ImageShape;
#[cfg(feature = "native")]
use super::format;
use super::kind::Kind;
use super::values::Values;
use crate::error::Result;

/// Which side of a split rows are on, as their source says by a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// To learn from.
    Train,
    /// To decide by.
    Validation,
    /// To test with.
    Test,
    /// The source does not say.
    #[default]
    Unsaid,
}

impl Side {
    /// The side that a folder, a file or an array is on whose name is or begins like this: `train`, `x_train`, `val`,
    /// `test`.
    pub fn of_name(name: &str) -> Side {
        let name = name.to_lowercase();
        let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
        let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
        match () {
            () if has(&["train", "training"]) => Side::Train,
            () if has(&["val", "valid", "validation", "dev"]) => Side::Validation,
            () if has(&["test", "testing", "t10k"]) => Side::Test,
            () => Side::Unsaid,
        }
    }
}

/// Rows on one side, all of one shape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Where they belong.
    pub side: Side,
    /// Their values, `[rows, values of a row]`.
    pub values: Values,
    /// The class of each as an index into the names of the classes; empty if rows have none.
    pub labels: Vec<u16>,
    /// What each is called: a file's path within its folder, an id; empty if rows have only their number.
    pub names: Vec<String>,
}

/// What a reader finds.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Rows of values that belong together: images, or plain numbers.
    Rows {
        /// What a row is.
        shape: ImageShape,
        /// Names of the classes; empty if there are none.
        classes: Vec<String>,
        /// The rows.
        parts: Vec<Part>,
    },
    /// Columns of numbers and categories.
    #[cfg(feature = "native")]
    Table(Vec<(Side, format::table::Table)>),
}

/// How far reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What is done of it.
    pub done: u64,
    /// All of it; 0 if that is not known.
    pub of: u64,
    /// What is counted, as `files` or `rows`.
    pub unit: &'static str,
}

/// Hears how far reading is, and of what was left out of it.
pub trait Listener {
    /// Called now and then.
    fn reading(&mut self, reading: Reading);
    /// Something that was read is left out or not as expected.
    fn notice(&mut self, text: String);
    /// What kind of data it is, before it is read.
    ///
    /// # Errors
    /// When other data is wanted.
    fn begins(&mut self, kind: Kind) -> Result<()> {
        let _ = kind;
        Ok(())
    }
}

/// For whom nothing need be told.
pub struct Silent;

impl Listener for Silent {
    fn reading(&mut self, _: Reading) {}
    fn notice(&mut self, _: String) {}
}
