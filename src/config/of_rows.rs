//! The configuration of a model for rows that are in memory, as pages and Python have them: what a command line says by flags.

use super::objective::clustering;
use super::{Assignment, RECIPES, RunConfig, Said};
use crate::data::{Dataset, is_named};
use crate::error::Result;
use crate::nn::BlockConfig;

impl RunConfig {
    /// The model or recipe of this name, with these keys set by what is called `flag`, fitted to rows: as many clusters as these
    /// have classes, the last layer as wide as a row, and so on.
    ///
    /// # Errors
    /// When there is no such model or key, or it does not fit the rows.
    pub fn of_rows(name: &str, flag: &str, assignments: &[Assignment<'_>], data: &Dataset) -> Result<Self> {
        let mut config = match RECIPES.contains(&name) {
            true => RunConfig::recipe(name)?,
            false => RunConfig::model(name)?,
        };
        config.data.path.clone_from(&data.name);
        config.set_all(flag, assignments)?;
        let said = assignments.iter().fold(Said::default(), |said, (key, _)| said.or_by(key));
        let shape = data.shape();
        config.follow_rows(said, shape, !is_named(&data.name))?;
        let clusters = config.clustering.is_some() && !said.encoder && (2..=clustering::MOST).contains(&shape.classes);
        if let Some(last) = config.encoder.iter_mut().rev().find_map(BlockConfig::as_linear_mut).filter(|_| clusters) {
            last.linear = shape.classes;
        }
        config.check()?;
        config.check_data(&shape, &data.name)?;
        config.check_labels(data, None)?;
        config.follow_pixels(data)?;
        Ok(config.settled())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::options::USUAL_TEST;
    use crate::data::{Encoding, ImageShape, Split, Values, memory};

    fn data(values: Vec<f32>, width: usize, classes: &[&str]) -> Dataset {
        let rows = values.len() / width;
        let labels = (0..rows).filter(|_| !classes.is_empty()).map(|row| (row % classes.len()) as u16).collect();
        let all = Split::new(width, Values::of_floats(values), labels, Vec::new());
        let classes = classes.iter().map(|name| (*name).to_string()).collect();
        memory::dataset("own", Encoding::images(ImageShape::row(width), classes), &all, 0, USUAL_TEST).unwrap()
    }

    #[test]
    fn a_configuration_follows_rows_and_what_is_set() {
        let unit = data((0..900).map(|x| (x % 7) as f32 / 7.0).collect(), 9, &[]);
        let config = RunConfig::of_rows("vae", "settings", &[("lr", "0.01"), ("epochs", "3")], &unit).unwrap();
        assert_eq!((config.layers().last().unwrap().linear, config.lr, config.epochs), (9, 0.01, 3));
        let wide = data((0..900).map(|x| (x % 7) as f32 - 3.0).collect(), 9, &["a", "b", "c"]);
        assert!(wide.encoding.scale.len() == 9 && !wide.encoding.is_unit());
        let clusters = RunConfig::of_rows("cluster", "settings", &[], &wide).unwrap();
        assert_eq!(clusters.layers().last().unwrap().linear, 3);
        let error = RunConfig::of_rows("plain", "settings", &[("lr", "quick")], &unit).unwrap_err().to_string();
        assert!(error.starts_with("settings lr=quick"), "{error}");
        assert!(RunConfig::of_rows("classifier", "settings", &[], &unit).is_err());
    }
}
