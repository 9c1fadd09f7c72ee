//! How a configuration follows its data: the widths, the answers and the likelihood that it does not spell itself.

use super::RunConfig;
use super::objective::variational::Likelihood;
use crate::data::{self, ImageShape, Shape as DataShape};
use crate::error::{Error, Result};
use crate::nn::BlockConfig;
use crate::ops::array::activation::Activation;
use crate::tensor::Shape;

/// Fewest neurons of a hidden layer that was made narrower for narrow data.
const NARROWEST: usize = 2;

/// What is said of a network, and so follows no data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The blocks before the code.
    pub encoder: bool,
    /// The blocks behind it.
    pub decoder: bool,
    /// How likely a reconstruction makes a row.
    pub likelihood: bool,
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
        }
    }
}

impl RunConfig {
    /// Fits what is not said to the data. The last layer is as wide as a row, or as a classifier has classes. Hidden layers
    /// of a network of which nothing is said have the model's widths times √(values of a row ÷ values of a row of the
    /// model's own data), rounded, at least two. Where values are no shares from 0 to 1, the last layer is linear and a
    /// likelihood Gaussian with a deviation of 1.
    ///
    /// # Errors
    /// When there is no such data, or it cannot be read.
    pub fn follow_data(&mut self, said: Said) -> Result<()> {
        if said.decoder && said.likelihood {
            return Ok(());
        }
        let data = data::shape(&self.data, self.data_dir.as_deref(), self.seed)?;
        let reconstructs = self.reconstructs();
        let made = match self.images().filter(|_| !said.encoder && !said.decoder) {
            Some(own) => {
                let ImageShape { height, width, channels } = data.image;
                match own != [height, width, channels] {
                    true if reconstructs => self.follow_images(data.image),
                    true => self.take_images(data.image),
                    false => {}
                }
                true
            }
            None if !said.encoder && !said.decoder => {
                self.scale_hidden(data.image.values())?;
                false
            }
            None => false,
        };
        let width = if self.classifier.is_some() { data.classes } else { data.image.values() };
        let ends_alone =
            matches!(self.decoder.last(), Some(BlockConfig::Activation(own)) if own.activation == Activation::Sigmoid);
        if reconstructs && !data.is_unit && ends_alone && !said.decoder {
            self.decoder.pop();
        }
        let last = self.decoder.iter_mut().rev().find_map(BlockConfig::as_linear_mut);
        if let Some(last) = last.filter(|_| !said.decoder && !(made && reconstructs)) {
            last.linear = width;
            if reconstructs && !data.is_unit && last.activation == Activation::Sigmoid {
                last.activation = Activation::Identity;
            }
        }
        if let Some(variational) = self.variational.as_mut().filter(|_| !data.is_unit && !said.likelihood) {
            (variational.likelihood, variational.sigma) = (Likelihood::Gaussian, 1.0);
        }
        Ok(())
    }

    /// Gives the hidden layers the widths of the model's own, scaled to rows of `features` values.
    fn scale_hidden(&mut self, features: usize) -> Result<()> {
        let base = RunConfig::base(Some(&self.model), Some(&self.recipe))?;
        let own = data::source(&base.data.path)?.image.values();
        let scale = (features as f64 / own.max(1) as f64).sqrt();
        let widths: Vec<usize> = base.layers().iter().map(|layer| layer.linear).collect();
        let hidden = if base.decoder.is_empty() { widths.len().saturating_sub(1) } else { widths.len() - 1 };
        if self.depth() != widths.len() || own == features {
            return Ok(());
        }
        for (layer, width) in self.layers_mut().zip(&widths).take(hidden) {
            let scaled = (*width as f64 * scale).round() as usize;
            layer.linear = scaled.max(NARROWEST.min(*width));
        }
        Ok(())
    }

    /// Refuses a network that does not fit rows of this shape, called `name`: that does not take them or does not answer
    /// with as many values, or as a classifier with one for each class, or takes values for probabilities that are none.
    ///
    /// # Errors
    /// [`Error::Usage`] that begins with the key of what is wrong.
    pub fn check_data(&self, data: &DataShape, name: &str) -> Result<()> {
        let refuse = |problem: String| Err(Error::Usage(problem));
        if self.classifier.is_some() && data.classes < 2 {
            let found = if data.classes == 0 { "no classes" } else { "one class" };
            return refuse(format!("--model {}: expected rows of several classes, {name} has {found}", self.model));
        }
        let features = data.image.values();
        let found = self.shapes(&Shape::new(&[features]))?.pop().map_or(0, |(_, _, shape)| shape.elements());
        let last = self.layer_key(self.depth().saturating_sub(1));
        let expected = match (self.reconstructs(), &self.classifier) {
            (true, _) => Some((features, "the values of a row")),
            (false, Some(_)) => Some((data.classes, "the classes")),
            (false, None) => None,
        };
        if let Some((expected, what)) = expected.filter(|(expected, _)| *expected != found) {
            if let Some(image) = self.images().filter(|image| image.iter().product::<usize>() == features) {
                let [height, width, channels] = image;
                let problem = format!("makes {found} values of images of {height}x{width}x{channels}");
                return refuse(format!("decoder: {problem}: expected {expected}, {what} of {name}"));
            }
            return refuse(format!("{last}.linear {found}: expected {expected}, {what} of {name}"));
        }
        if data.is_unit || !self.reconstructs() {
            return Ok(());
        }
        let beyond = format!("the values of {name} are not all from 0 to 1");
        if self.contrastive_divergence.is_some() {
            return refuse(format!("--model {}: expected values from 0 to 1, and {beyond}", self.model));
        }
        if self.variational.is_some_and(|variational| variational.likelihood == Likelihood::Bernoulli) {
            return refuse(format!("variational.likelihood bernoulli: expected gaussian, since {beyond}"));
        }
        match self.answer_activation("") {
            Ok((key, Activation::Sigmoid)) => {
                refuse(format!("{key}.activation sigmoid: expected identity, since {beyond}"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::{DataOptions, ImageShape, ValueKind};

    fn widths(config: &RunConfig) -> Vec<usize> {
        config.layers().iter().map(|layer| layer.linear).collect()
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
    fn values_that_are_no_shares_are_refused_by_what_needs_shares() {
        let shape = |is_unit| DataShape {
            image: ImageShape::row(784),
            train_rows: 9,
            classes: 0,
            kind: ValueKind::Float,
            is_unit,
        };
        let refused = |model: &str| {
            let config = RunConfig::model(model).unwrap();
            config.check_data(&shape(true), "X").unwrap();
            config.check_data(&shape(false), "X").unwrap_err().to_string()
        };
        assert!(refused("vae").starts_with("variational.likelihood bernoulli"));
        assert!(refused("rbm").starts_with("--model rbm"));
        assert!(refused("entropic").starts_with("decoder.3.activation sigmoid"));
        let classifier = RunConfig::model("classifier").unwrap();
        let message = classifier.check_data(&shape(true), "X").unwrap_err().to_string();
        assert!(message.contains("several classes, X has no classes"), "{message}");
    }
}
