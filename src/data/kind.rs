//! What kinds of data there are, and which ways of reading each knows.

use super::options::DataOptions;
use crate::error::{Error, Result};

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder of images.
    Images,
    /// A table as text, or a folder of tables.
    Table,
    /// A table whose file names its columns itself.
    Columns,
    /// An array of NumPy's.
    Array,
    /// Several of them, in a file or a folder.
    Arrays,
    /// Files of IDX.
    Idx,
    /// CIFAR's binary batches.
    Cifar,
    /// A data set that has a name.
    Named,
}

impl Kind {
    /// What it is called in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Images => "a folder of images",
            Kind::Table => "a table",
            Kind::Columns => "a table of Parquet or Arrow",
            Kind::Array => "an array",
            Kind::Arrays => "a set of arrays",
            Kind::Idx => "a set of IDX files",
            Kind::Cifar => "a set of CIFAR's batches",
            Kind::Named => "a data set of its own",
        }
    }

    /// Whether its rows are the columns of a table.
    pub fn is_table(self) -> bool {
        matches!(self, Kind::Table | Kind::Columns)
    }

    /// The flags that say how it is read.
    fn flags(self) -> &'static [&'static str] {
        match self {
            Kind::Images => &["--size", "--crop", "--grey", "--skip-broken", "--scale", "--test"],
            Kind::Table => &["--label", "--id", "--drop", "--header", "--scale", "--test"],
            Kind::Columns => &["--label", "--id", "--drop", "--scale", "--test"],
            Kind::Array | Kind::Cifar => &["--label", "--scale", "--test"],
            Kind::Arrays | Kind::Idx => &["--label", "--key", "--scale", "--test"],
            Kind::Named => &[],
        }
    }

    /// Refuses what is asked for and means nothing to this kind.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the flag.
    pub fn check(self, options: &DataOptions) -> Result<()> {
        let idle = options.given().into_iter().find(|flag| options.is_asked(flag) && !self.flags().contains(flag));
        match idle {
            Some(flag) => {
                Err(Error::Usage(format!("{flag}: has no effect; {} is {}", options.short_name(), self.words())))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::options::OfRun;

    #[test]
    fn what_means_nothing_is_refused_by_its_flag() {
        let options = DataOptions { drop: vec!["a".into()], grey: true, ..DataOptions::of("trees.csv") };
        let message = Kind::Table.check(&options).unwrap_err().to_string();
        assert_eq!(message, "--grey: has no effect; trees is a table");
        assert!(Kind::Array.check(&options).unwrap_err().to_string().starts_with("--drop: has no effect"));
        // Of a finished run only what is asked for now.
        let of = |anew| DataOptions { of_run: Some(OfRun { name: "runs/x".into(), anew }), ..options.clone() };
        assert!(Kind::Table.check(&of(vec!["--drop"])).is_ok());
        assert!(Kind::Table.check(&of(vec!["--grey"])).is_err());
    }
}
