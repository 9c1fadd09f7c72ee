//! How data of one's own is read: the keys of `[data]`, each a flag of the same name.

use std::fmt;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Share of the rows that is tested with where the data does not say: every fifth, by the hash of its name.
pub const USUAL_TEST: f32 = 0.2;

/// Largest image that is decoded unless more is allowed, in pixels: a small file may unpack to a very large image.
pub const USUAL_MOST_PIXELS: u64 = 1 << 26;

/// Which data, and how it is read. A name alone may stand for all of it: `data = "mnist"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct DataOptions {
    /// Name of a data set that there is, or path of a file or folder.
    pub path: String,
    /// Column, array or kind of label that holds the classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Column that names each row and is no value of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Columns that are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// Array of an .npz file that holds the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether the first line of a table names its columns; if nothing is said, its looks decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// Size that images are brought to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// What becomes of an image whose sides have another ratio than that size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop: Option<Crop>,
    /// Whether colours become grey.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub grey: bool,
    /// Whether files that cannot be decoded are left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skip_broken: bool,
    /// How values reach the network; if nothing is said, bytes as shares of 255, tables standardised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// Share of the rows that is tested with where the data does not say which; [`USUAL_TEST`] if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<f32>,
    /// Share of the training rows that is set aside, to decide what training decides; none if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<f32>,
    /// Largest image that is decoded, in pixels; [`USUAL_MOST_PIXELS`] if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_pixels: Option<u64>,
    /// Megabytes of a split's rows that a device may hold; what is more comes to it window by window. If nothing is said, 2
    /// GiB, of the processor half of the memory that is free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_device: Option<u64>,
    /// The finished run that this is asked of; none where all of it is asked for now.
    #[serde(skip)]
    pub of_run: Option<OfRun>,
}

/// A run that was made with ways of reading, which hold for other data as far as they mean something to that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfRun {
    /// What the run is called.
    pub name: String,
    /// The flags that are asked for now, `--data` among them.
    pub anew: Vec<&'static str>,
}

impl DataOptions {
    /// Data of this name or path, read as usual.
    pub fn of(path: impl Into<String>) -> Self {
        DataOptions {
            path: path.into(),
            label: None,
            id: None,
            drop: Vec::new(),
            key: None,
            header: None,
            size: None,
            crop: None,
            grey: false,
            skip_broken: false,
            scale: None,
            test: None,
            validation: None,
            most_pixels: None,
            on_device: None,
            of_run: None,
        }
    }

    /// What the data is called in titles and names of files: a data set's name, or the last part of a path without its
    /// ending.
    pub fn short_name(&self) -> String {
        // A colon stands behind the name of a drive, and in no file's name on Windows.
        let whole = self.path.trim_end_matches(['/', '\\', ':']);
        let last = whole.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = last.split_once('.').map_or(last, |(stem, _)| if stem.is_empty() { last } else { stem });
        let plain = stem.replace(|c: char| c.is_control() || c.is_whitespace(), "-");
        if plain.is_empty() || plain == ".." { "data".into() } else { plain }
    }

    /// The flags of all ways of reading that are said.
    pub fn given(&self) -> Vec<&'static str> {
        let all = [
            ("--label", self.label.is_some()),
            ("--id", self.id.is_some()),
            ("--drop", !self.drop.is_empty()),
            ("--key", self.key.is_some()),
            ("--header", self.header.is_some()),
            ("--size", self.size.is_some()),
            ("--crop", self.crop.is_some()),
            ("--grey", self.grey),
            ("--skip-broken", self.skip_broken),
            ("--scale", self.scale.is_some()),
            ("--test", self.test.is_some()),
        ];
        all.into_iter().filter_map(|(flag, is_said)| is_said.then_some(flag)).collect()
    }

    /// Whether what is said by a flag, or left unsaid, is asked for now, and not what a finished run was made with.
    pub fn is_asked(&self, flag: &str) -> bool {
        self.of_run.as_ref().is_none_or(|run| run.anew.contains(&flag))
    }

    /// Whether it is asked for anew of a finished run.
    pub fn is_asked_anew(&self, flag: &str) -> bool {
        self.of_run.as_ref().is_some_and(|run| run.anew.contains(&flag))
    }

    /// The columns that are to be left out of those of these names. What is asked for as one word is one name if there is such
    /// a column, else several between commas.
    pub fn dropped<'a>(&'a self, is_there: impl Fn(&str) -> bool) -> Vec<&'a str> {
        let names = |asked: &'a String| -> Vec<&'a str> {
            match is_there(asked) || !asked.contains(',') {
                true => vec![asked],
                false => asked.split(',').map(str::trim).filter(|name| !name.is_empty()).collect(),
            }
        };
        self.drop.iter().flat_map(names).collect()
    }

    /// Share of the rows that is tested with where the data does not say which.
    pub fn test_share(&self) -> f64 {
        f64::from(self.test.unwrap_or(USUAL_TEST))
    }
}

impl From<&str> for DataOptions {
    fn from(path: &str) -> Self {
        DataOptions::of(path)
    }
}

impl Default for DataOptions {
    fn default() -> Self {
        DataOptions::of("digits")
    }
}

impl Serialize for DataOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        DataOptions::serialize(self, serializer)
    }
}

/// Reads a name, or a table of keys.
struct Spelt;

impl<'de> Visitor<'de> for Spelt {
    type Value = DataOptions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a data set's name, a path, or a table of [data]")
    }

    fn visit_str<E>(self, path: &str) -> Result<DataOptions, E> {
        Ok(DataOptions::of(path))
    }

    fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<DataOptions, A::Error> {
        DataOptions::deserialize(MapAccessDeserializer::new(keys))
    }
}

impl<'de> Deserialize<'de> for DataOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Spelt)
    }
}

/// Pixels of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Size {
    /// Pixels in a row.
    pub width: usize,
    /// Rows of pixels.
    pub height: usize,
}

/// Most pixels in a row or column of a size that can be asked for.
const MOST_SIDE: usize = 4096;

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let side = |text: &str| text.trim().parse().ok().filter(|side| (1..=MOST_SIDE).contains(side));
        let size = text
            .split_once(['x', 'X', '×'])
            .and_then(|(width, height)| Some(Size { width: side(width)?, height: side(height)? }));
        size.ok_or_else(|| format!("{text}: expected WIDTHxHEIGHT in pixels, each 1 to {MOST_SIDE}, such as 32x32"))
    }
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Size> for String {
    fn from(size: Size) -> String {
        size.to_string()
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// What becomes of an image whose sides have another ratio than the size that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crop {
    /// It is stretched.
    None,
    /// Its largest centred part of that ratio is taken.
    #[serde(alias = "center")]
    Centre,
}

/// How values reach the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// As they are; bytes as shares of 255.
    None,
    /// Less the mean, over the deviation, of each channel or column in the training rows.
    Standard,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn data_is_called_by_the_last_part_of_its_path() {
        let name = |path: &str| DataOptions::of(path).short_name();
        assert_eq!([name("mnist"), name("/a b/my photos/"), name("x/rows.csv.gz")], ["mnist", "my-photos", "rows"]);
        assert_eq!([name("/"), name(".."), name("x/.npy"), name("D:\\")], ["data", "data", ".npy", "D"]);
    }

    #[test]
    fn a_comma_belongs_to_a_name_or_stands_between_two() {
        let options = DataOptions { drop: vec!["a, b".into(), "c,d".into(), "e".into()], ..DataOptions::of("x") };
        assert_eq!(options.dropped(|name| name == "c,d"), ["a", "b", "c,d", "e"]);
        assert_eq!(options.dropped(|name| name == "a, b"), ["a, b", "c", "d", "e"]);
    }

    #[test]
    fn a_size_reads_back_and_anything_else_is_refused() {
        let size: Size = "32x24".parse().unwrap();
        assert_eq!((size.width, size.height, size.to_string()), (32, 24, "32x24".to_string()));
        for wrong in ["32", "0x4", "4x0", "x", "32x32x3", "-1x4", "5000x4", ""] {
            assert!(wrong.parse::<Size>().unwrap_err().contains("WIDTHxHEIGHT"), "{wrong}");
        }
    }
}
