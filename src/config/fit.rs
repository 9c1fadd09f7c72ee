//! How a configuration follows its data: the widths, the answers and the likelihood that it does not spell itself.

use super::RunConfig;
use super::objective::variational::Likelihood;
use crate::data::{self, ImageShape, Shape as DataShape};
use crate::error::{Error, Result, thousands};
use crate::nn::BlockConfig;
use crate::nn::network::joined;
use crate::ops::array::activation::Activation;

/// Steps that training takes at least, if nothing is said and epochs do not get too many.
const ENOUGH: usize = 2000;
/// Most epochs to make so many steps.
const MOST_EPOCHS: u32 = 1000;
/// Fewest samples of a step that was made smaller for few rows.
const FEWEST_SAMPLES: usize = 8;

/// Most parameters that a network is taken to be trained with: as many as a tensor can have elements.
const MOST_PARAMETERS: u64 = u32::MAX as u64;

/// Fewest neurons of a hidden layer that was made narrower for narrow data.
const NARROWEST: usize = 2;

/// What is said of a network and how long it is trained, and so follows no data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The blocks before the code.
    pub encoder: bool,
    /// The blocks behind it.
    pub decoder: bool,
    /// How likely a reconstruction makes a row.
    pub likelihood: bool,
    /// Passes over the training data.
    pub epochs: bool,
    /// Samples of a step.
    pub batch_size: bool,
    /// How images are changed while training.
    pub augment: bool,
    /// Of these, colours that images of one channel do not have.
    pub colours: bool,
}

impl Said {
    /// The same, and what a key says, which may be a short one.
    #[must_use]
    pub fn or_by(self, key: &str) -> Said {
        let key = key.trim();
        Said {
            encoder: self.encoder || key.starts_with("encoder") || key == "width",
            decoder: self.decoder || key.starts_with("decoder"),
            likelihood: self.likelihood || key.starts_with("variational"),
            epochs: self.epochs || key == "epochs",
            batch_size: self.batch_size || key == "batch_size",
            augment: self.augment || key.starts_with("augment"),
            colours: self.colours || ["augment", "augment.saturation", "augment.hue", "augment.grey"].contains(&key),
        }
    }
}

impl RunConfig {
    /// Fits what is not said to the data. The last layer is as wide as a row, or as a classifier has classes. Hidden layers
    /// of a network of which nothing is said have the model's widths times √(values of a row ÷ values of a row of the
    /// model's own data), rounded, at least two. Where values are no shares from 0 to 1, the last layer is linear and a
    /// likelihood Gaussian with a deviation of 1. On data of one's own training is as long as [`last`](Self::last) says.
    ///
    /// # Errors
    /// When there is no such data, or it cannot be read.
    pub fn follow_data(&mut self, said: Said) -> Result<()> {
        let is_own = !data::is_named(&self.data.path);
        let lasts = !is_own || (said.epochs && said.batch_size);
        if said.decoder && said.likelihood && lasts {
            return Ok(());
        }
        if is_own {
            self.check_ahead(said)?;
        }
        let data = data::shape(&self.data, self.data_dir.as_deref(), self.seed)?;
        self.follow_rows(said, data, is_own)
    }

    /// The same for rows of this shape, which are the user's own or a data set's that has a name.
    ///
    /// # Errors
    /// When the network cannot be fitted to them.
    pub fn follow_rows(&mut self, said: Said, data: DataShape, is_own: bool) -> Result<()> {
        let makes_rows = self.makes_rows();
        let is_other = |own: [usize; 3]| own != [data.image.height, data.image.width, data.image.channels];
        if self.images().is_some_and(is_other) && !said.augment {
            self.follow_image(data.image);
        }
        if !said.colours {
            self.follow_colours(data.image);
        }
        match self.images().filter(|_| !said.encoder && !said.decoder) {
            Some(own) => {
                let ImageShape { height, width, channels } = data.image;
                match own != [height, width, channels] {
                    true if makes_rows => self.follow_images(data.image),
                    true => self.take_images(data.image),
                    false => {}
                }
            }
            None if !said.encoder && !said.decoder => self.scale_hidden(data.image.values())?,
            None => {}
        }
        let width = if self.classifier.is_some() { data.classes } else { data.image.values() };
        let ends_alone =
            matches!(self.decoder.last(), Some(BlockConfig::Activation(own)) if own.activation == Activation::Sigmoid);
        if makes_rows && !data.is_unit && ends_alone && !said.decoder {
            self.decoder.pop();
        }
        // Where convolutions make the answer, the last linear layer is not its end.
        let ends_in_layer = joined(&self.decoder).last().is_some_and(|block| block.as_linear().is_some());
        let last = self.decoder.iter_mut().rev().find_map(BlockConfig::as_linear_mut);
        let answers_data = makes_rows || self.classifier.is_some();
        if let Some(last) = last.filter(|_| !said.decoder && ends_in_layer && answers_data) {
            last.linear = width;
            if makes_rows && !data.is_unit && last.activation == Activation::Sigmoid {
                last.activation = Activation::Identity;
            }
        }
        if let Some(variational) = self.variational.as_mut().filter(|_| !data.is_unit && !said.likelihood) {
            (variational.likelihood, variational.sigma) = (Likelihood::Gaussian, 1.0);
        }
        if is_own {
            self.last(said, data.train_rows);
        }
        Ok(())
    }

    /// Fits what is not said of how long to train to so many training rows, which the model's own data has far more of. A step
    /// has at most an eighth of the rows, rounded down to a power of two, but at least `FEWEST_SAMPLES` if the model's own
    /// has as many. There are as many epochs as make `ENOUGH` steps, at most `MOST_EPOCHS`, and never fewer than the
    /// model's own.
    pub fn last(&mut self, said: Said, rows: usize) {
        let known = self.classifier.as_ref().map_or(0, |classifier| classifier.labels);
        let rows = if known > 0 { rows.min(known) } else { rows };
        if !said.batch_size {
            let eighth = (rows / 8).max(1);
            let most = (1 << eighth.ilog2()).max(FEWEST_SAMPLES);
            self.batch_size = self.batch_size.min(most);
        }
        if !said.epochs {
            let steps = rows.div_ceil(self.batch_size.max(1)).max(1);
            let enough = u32::try_from(ENOUGH.div_ceil(steps)).map_or(MOST_EPOCHS, |enough| enough.min(MOST_EPOCHS));
            self.epochs = self.epochs.max(enough);
        }
    }

    /// In words, how long training on so many rows is: `epochs 500: 2,000 steps`.
    pub fn length(&self, rows: usize) -> String {
        let steps = rows.div_ceil(self.batch_size.max(1)) as u64 * u64::from(self.epochs);
        let plural = if steps == 1 { "" } else { "s" };
        format!("epochs {}: {} step{plural}", self.epochs, thousands(steps))
    }

    /// Refuses a size of images that makes a network no device can train, before any image is decoded to it.
    fn check_ahead(&self, said: Said) -> Result<()> {
        // Convolutions have few parameters, however large the images.
        let Some(size) = self.data.size.filter(|_| self.images().is_none()) else { return Ok(()) };
        // Grey: whether there are colours, only the images say.
        let values = size.width * size.height;
        let mut config = self.clone();
        if !said.encoder && !said.decoder {
            config.scale_hidden(values)?;
        }
        if let Some(last) = config.layers_mut().last().filter(|_| !said.decoder && self.makes_rows()) {
            last.linear = values;
        }
        let widths = config.layers().into_iter().map(|layer| layer.linear as u64);
        let (_, parameters) = widths.fold((values as u64, 0u64), |(before, sum), width| {
            (width, sum.saturating_add(before.saturating_mul(width)))
        });
        if parameters <= MOST_PARAMETERS {
            return Ok(());
        }
        // Parameters, gradients and the two moments of Adam.
        let (count, gigabytes) = (thousands(parameters), parameters.saturating_mul(16) / 1_000_000_000);
        Err(Error::Usage(format!(
            "--size {size}: a network for images of {} values has at least {count} parameters, which need {} GB to be \
             trained; a smaller --size needs less, as 64x64, or narrower layers, as --set encoder.1.linear=32",
            thousands(values as u64),
            thousands(gigabytes)
        )))
    }

    /// Gives the hidden layers the widths of the model's own, scaled to rows of `features` values.
    fn scale_hidden(&mut self, features: usize) -> Result<()> {
        let base = RunConfig::base(Some(&self.model), Some(&self.recipe))?;
        let own = data::source(&base.data.path)?.image.values();
        let scale = (features as f64 / own.max(1) as f64).sqrt();
        let widths: Vec<usize> = base.layers().iter().map(|layer| layer.linear).collect();
        let hidden = widths.len().saturating_sub(1);
        if self.depth() != widths.len() || own == features {
            return Ok(());
        }
        for (layer, width) in self.layers_mut().zip(&widths).take(hidden) {
            let scaled = (*width as f64 * scale).round() as usize;
            layer.linear = scaled.max(NARROWEST.min(*width));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::DataOptions;

    fn widths(config: &RunConfig) -> Vec<usize> {
        config.layers().iter().map(|layer| layer.linear).collect()
    }

    /// A layer in the middle of a decoder is as wide as it is said to be, whatever the data.
    #[test]
    fn only_a_layer_at_the_end_is_as_wide_as_a_row() {
        let mut conv = RunConfig::model("conv").unwrap();
        conv.follow_data(Said { encoder: true, ..Said::default() }).unwrap();
        assert_eq!(widths(&conv), [16, 1568]);
        let mut classes = RunConfig { data: DataOptions::of("digits"), ..RunConfig::model("resnet").unwrap() };
        classes.follow_data(Said::default()).unwrap();
        assert_eq!((classes.images(), widths(&classes)), (Some([28, 28, 1]), vec![10]));
    }

    #[test]
    fn hidden_widths_follow_the_root_of_a_row_s_width_once() {
        let mut config = RunConfig { data: DataOptions::of("one-hot-16"), ..RunConfig::model("entropic").unwrap() };
        for _ in 0..2 {
            config.follow_data(Said::default()).unwrap();
            // 64 √(16 ÷ 784) = 9.1, 20 √(16 ÷ 784) = 2.9.
            assert_eq!(widths(&config), [9, 3, 3, 3, 9, 16]);
        }
        let own = RunConfig::model("nmn").unwrap();
        let mut same = own.clone();
        same.follow_data(Said::default()).unwrap();
        assert_eq!(same, own, "a model on its own data is as its file says");
        let mut said = RunConfig { data: DataOptions::of("one-hot-16"), ..RunConfig::model("entropic").unwrap() };
        said.follow_data(Said { encoder: true, ..Said::default() }).unwrap();
        assert_eq!(widths(&said), [64, 20, 20, 20, 64, 16]);
    }

    #[test]
    fn few_rows_are_gone_through_often_in_small_steps() {
        let lasts = |rows: usize, said: Said| {
            let mut config = RunConfig::model("entropic").unwrap();
            (0..2).for_each(|_| config.last(said, rows));
            (config.batch_size, config.epochs)
        };
        let unsaid = Said::default();
        // 96 rows: an eighth is 12, so 8 a step and 12 steps an epoch; 160: 16 and 10; 60,000 as they always were.
        let cases = [(96, (8, 167)), (160, (16, 200)), (1, (8, 1000)), (1100, (128, 223)), (60_000, (128, 10))];
        cases.iter().for_each(|(rows, wanted)| assert_eq!(lasts(*rows, unsaid), *wanted, "{rows} rows"));
        assert_eq!(lasts(160, Said { epochs: true, ..unsaid }), (16, 10));
        assert_eq!(lasts(160, Said { batch_size: true, ..unsaid }), (128, 1000));
        let mut labelled = RunConfig::model("classifier").unwrap();
        labelled.set("--set", "classifier.labels", "80").unwrap();
        labelled.last(unsaid, 60_000);
        assert_eq!((labelled.batch_size, labelled.epochs), (8, 200));
        assert_eq!(RunConfig { epochs: 500, batch_size: 32, ..labelled }.length(120), "epochs 500: 2,000 steps");
    }
}
