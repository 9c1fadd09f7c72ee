//! The rows that a configuration trains on and is judged by.

use super::RunConfig;
use crate::data::{self, Dataset, Split};
use crate::error::{Error, Result};

impl RunConfig {
    /// Loads the data, without the class that is to be left out of training and the rows whose labels are not known.
    ///
    /// # Errors
    /// When the data cannot be had, or there is no such class in it or nothing else.
    pub fn load_data(&self) -> Result<Dataset> {
        let mut data = data::load(&self.data, self.data_dir.as_deref(), self.seed)?;
        if let Some(class) = self.without {
            data.train = self.without(class, &data)?;
        }
        self.keep_labelled(&mut data)?;
        Ok(data)
    }

    /// The same with the folder that its data is read from named, whole, whatever folder or environment it is read in
    /// later; data that is made needs none.
    ///
    /// # Errors
    /// When there is no such data, or no folder to keep it in.
    #[cfg(feature = "native")]
    pub fn with_data_folder(mut self) -> Result<Self> {
        if data::source(&self.data)?.fetch.is_some() {
            let folder = self.data_dir.take().map_or_else(data::default_dir, Ok)?;
            self.data_dir = Some(std::path::absolute(&folder).map_err(Error::io(&folder, "find"))?);
        }
        Ok(self)
    }

    fn without(&self, class: u8, data: &Dataset) -> Result<Split> {
        let train = data.train.without(class);
        if train.rows == data.train.rows || train.rows == 0 {
            let classes: Vec<String> = data.train.classes().iter().map(ToString::to_string).collect();
            let (name, classes) = (&data.name, classes.join(", "));
            return Err(Error::Usage(format!(
                "--without {class}: expected one of several classes of {name}: {classes}"
            )));
        }
        Ok(train)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_left_out_of_training_alone() {
        let whole = data::digits::dataset(3, 200, 50).unwrap();
        let train = whole.train.without(4);
        let left: Vec<usize> = (0..200).filter(|&row| whole.train.labels[row] != 4).collect();
        assert!(left.len() < 200 && train.rows == left.len() && !train.labels.contains(&4));
        assert_eq!(train.classes(), [0, 1, 2, 3, 5, 6, 7, 8, 9]);
        for (row, &from) in left.iter().enumerate() {
            assert_eq!(train.values(row..row + 1), whole.train.values(from..from + 1));
            assert_eq!(train.labels[row], whole.train.labels[from]);
        }
    }
}
