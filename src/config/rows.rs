//! The rows that a configuration trains on and is judged by.

use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::RunConfig;
use super::objective::refuse;
use crate::data::{self, Dataset, Encoding, Split};
use crate::error::{Error, Result, shortened};
use crate::rng::{Stream, permute, stream_key};

/// What a class is called; one that is called by a number is written as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassName(pub String);

impl fmt::Display for ClassName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ClassName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.parse::<u16>().ok().filter(|number| number.to_string() == self.0) {
            Some(number) => number.serialize(serializer),
            None => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ClassName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Spelt;
        impl Visitor<'_> for Spelt {
            type Value = ClassName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a class")
            }

            fn visit_str<E>(self, name: &str) -> Result<ClassName, E> {
                Ok(ClassName(name.into()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<ClassName, E> {
                Ok(ClassName(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<ClassName, E> {
                Ok(ClassName(number.to_string()))
            }
        }
        deserializer.deserialize_any(Spelt)
    }
}

/// Most pixels of an image, and most megabytes on a device, that can be asked for.
const MOST: u64 = 1 << 40;

/// Share of the training rows that is set aside if nothing is said and something is to be decided.
const USUAL: f32 = 0.1;

impl RunConfig {
    /// Loads the data, without the class that is to be left out of training and the rows whose labels are not known, some of
    /// the rest set aside for validation.
    ///
    /// # Errors
    /// When the data cannot be had, or there is no such class in it or nothing else, or too few rows to set some aside.
    pub fn load_data(&self) -> Result<Dataset> {
        self.load_data_as(None)
    }

    /// The same, mapped and named as rows of a run are that this is the encoding of.
    ///
    /// # Errors
    /// As [`load_data`](Self::load_data), and when the data does not fit the encoding.
    pub fn load_data_as(&self, known: Option<&Encoding>) -> Result<Dataset> {
        let mut data = data::load(&self.data, self.data_dir.as_deref(), self.seed, known)?;
        if let Some(class) = &self.without {
            data.train = self.without(class, &data)?;
        }
        self.keep_labelled(&mut data)?;
        self.set_aside(&mut data)?;
        Ok(data)
    }

    /// Refuses rows that a classifier can neither learn from nor be judged by: without a class, or of one that is none of
    /// the `known` rows.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the side and the class.
    pub fn check_labels(&self, data: &Dataset, known: Option<&Encoding>) -> Result<()> {
        if self.classifier.is_none() {
            return Ok(());
        }
        let sides = [("training", &data.train), ("validation", &data.validation), ("test", &data.test)];
        for (side, split) in sides.into_iter().filter(|(_, split)| split.rows > 0) {
            if split.labels.len() != split.rows {
                let problem = format!("expected rows with classes, its {side} rows have none");
                return Err(Error::Usage(format!("--data {}: {problem}", data.name)));
            }
            let Some(known) = known else { continue };
            let is_new = |class: &&u16| usize::from(**class) >= known.classes.len();
            if let Some(class) = split.labels.iter().find(is_new) {
                let new = shortened(data.encoding.class_name(*class), 60);
                let all = known.classes.join(", ");
                let all = shortened(&all, 300);
                let problem = format!("has {side} rows of class '{new}', expected those that were learnt: {all}");
                return Err(Error::Usage(format!("--data {}: {problem}", data.name)));
            }
        }
        Ok(())
    }

    /// The same with the folder that its data is read from named, whole, whatever folder or environment it is read in
    /// later; data that is made needs none.
    ///
    /// # Errors
    /// When there is no such data, or no folder to keep it in.
    #[cfg(feature = "native")]
    pub fn with_data_folder(mut self) -> Result<Self> {
        if !data::is_named(&self.data.path) {
            let path = std::path::absolute(&self.data.path).map_err(Error::io(&self.data.path, "find"))?;
            let text = path.to_str().map(str::to_string);
            self.data.path = text.ok_or_else(|| {
                Error::Usage(format!("--data {}: expected a path in Unicode, as config.toml has it", path.display()))
            })?;
        } else if data::source(&self.data.path)?.fetch.is_some() {
            let folder = self.data_dir.take().map_or_else(data::default_dir, Ok)?;
            self.data_dir = Some(std::path::absolute(&folder).map_err(Error::io(&folder, "find"))?);
        }
        Ok(self)
    }

    /// The part of the data that decides what training decides, as metrics name it: the rows set aside, or the test data
    /// where there are none.
    pub fn deciding(&self) -> &'static str {
        if self.data.validation.is_some_and(|share| share > 0.0) { "validation" } else { "test" }
    }

    /// The same with a validation split for whoever decides by rows and has not said which.
    #[must_use]
    pub fn with_usual_validation(mut self) -> Self {
        if self.early_stopping.is_some() {
            self.data.validation.get_or_insert(USUAL);
        }
        self
    }

    pub(super) fn check_rows(&self) -> Result<()> {
        if let Some(share) = self.data.validation.filter(|share| !(0.0..1.0).contains(share)) {
            return refuse("--validation", share, "a share of the training rows, at least 0 and less than 1");
        }
        if let Some(share) = self.data.test.filter(|share| !(*share > 0.0 && *share <= 1.0)) {
            return refuse("--test", share, "a share of all rows, more than 0 and at most 1");
        }
        for (key, number) in [("data.most_pixels", self.data.most_pixels), ("data.on_device", self.data.on_device)] {
            if let Some(number) = number.filter(|number| !(1..=MOST).contains(number)) {
                return refuse(key, number, &format!("1 to {MOST}"));
            }
        }
        Ok(())
    }

    /// Moves the first rows of an order of the seed's from training to validation.
    fn set_aside(&self, data: &mut Dataset) -> Result<()> {
        let Some(share) = self.data.validation.filter(|&share| share > 0.0) else { return Ok(()) };
        if data.validation.rows > 0 {
            // Data that names rows to decide by has none to spare.
            return Ok(());
        }
        let rows = data.train.rows;
        let count = (f64::from(share) * rows as f64).round() as usize;
        if count == 0 || count >= rows {
            let expected =
                format!("a share that leaves rows on both sides of the {rows} training rows of {}", data.name);
            return refuse("--validation", share, &expected);
        }
        let key = stream_key(self.seed, Stream::Validation);
        let mut is_aside = vec![false; rows];
        (0..count as u32).for_each(|index| is_aside[permute(index, rows as u32, key) as usize] = true);
        let (aside, kept): (Vec<usize>, Vec<usize>) = (0..rows).partition(|&row| is_aside[row]);
        data.validation = data.train.only(&aside);
        data.train = data.train.only(&kept);
        Ok(())
    }

    fn without(&self, class: &ClassName, data: &Dataset) -> Result<Split> {
        let train = data.encoding.class(&class.0).map(|class| data.train.without(class));
        let train = train.filter(|train| train.rows < data.train.rows && train.rows > 0);
        train.ok_or_else(|| {
            let classes = data.encoding.names_of(&data.train.classes());
            let name = &data.name;
            if classes.is_empty() {
                return Error::Usage(format!("--without {class}: the rows of {name} have no classes"));
            }
            Error::Usage(format!("--without {class}: expected one of several classes of {name}: {classes}"))
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::DataOptions;

    #[test]
    fn a_class_is_left_out_of_training_alone() {
        let whole = data::set::digits::dataset(3, 200, 50).unwrap();
        let train = whole.train.without(4);
        let left: Vec<usize> = (0..200).filter(|&row| whole.train.labels[row] != 4).collect();
        assert!(left.len() < 200 && train.rows == left.len() && !train.labels.contains(&4));
        assert_eq!(train.classes(), [0, 1, 2, 3, 5, 6, 7, 8, 9]);
        for (row, &from) in left.iter().enumerate() {
            assert_eq!(train.values(row..row + 1), whole.train.values(from..from + 1));
            assert_eq!(train.labels[row], whole.train.labels[from]);
        }
    }

    #[test]
    fn rows_are_set_aside_by_seed_and_none_is_on_both_sides() {
        let whole = data::set::digits::dataset(3, 200, 50).unwrap();
        let split = |seed: u64, validation: Option<f32>| {
            let mut data = whole.clone();
            RunConfig { seed, data: DataOptions { validation, ..DataOptions::default() }, ..RunConfig::default() }
                .set_aside(&mut data)
                .map(|()| data)
        };
        let data = split(1, Some(0.1)).unwrap();
        assert_eq!((data.train.rows, data.validation.rows, &data.test), (180, 20, &whole.test));
        let row = |split: &Split, row: usize| (split.values(row..row + 1), split.labels[row]);
        let (mut trained, mut aside) = (0, 0);
        for number in 0..200 {
            // In the order in which they were, each on one side.
            if trained < 180 && row(&data.train, trained) == row(&whole.train, number) {
                trained += 1;
            } else {
                assert!(row(&data.validation, aside) == row(&whole.train, number), "row {number}");
                aside += 1;
            }
        }
        assert_eq!(split(1, Some(0.1)).unwrap(), data, "a run that is resumed has the same rows");
        assert_ne!(split(2, Some(0.1)).unwrap().validation, data.validation);
        for none in [None, Some(0.0)] {
            assert_eq!(split(1, none).unwrap(), whole);
        }
        for wrong in [0.001, 0.999] {
            let message = split(1, Some(wrong)).unwrap_err().to_string();
            assert!(message.starts_with(&format!("--validation {wrong}")) && message.contains("200"), "{message}");
        }
    }

    #[test]
    fn what_decides_is_no_test_data_unless_that_is_said() {
        let mut config = RunConfig::recipe("plain").unwrap();
        assert_eq!((config.clone().with_usual_validation().data.validation, config.deciding()), (None, "test"));
        config.set("--set", "early_stopping.patience", "3").unwrap();
        // As an old checkpoint reads.
        assert_eq!(config.deciding(), "test");
        let usual = config.clone().with_usual_validation();
        assert_eq!((usual.data.validation, usual.deciding()), (Some(0.1), "validation"));
        config.set("--set", "validation", "0").unwrap();
        assert_eq!(config.clone().with_usual_validation().deciding(), "test", "it was said");
        assert!(config.warnings().iter().any(|warning| warning.contains("test data")));
        assert!(!usual.warnings().iter().any(|warning| warning.contains("test data")));
        for wrong in ["1", "-0.1", "nan"] {
            config.set("--set", "validation", wrong).unwrap();
            let message = config.check().unwrap_err().to_string();
            assert!(message.starts_with("--validation "), "{message}");
        }
    }
}
