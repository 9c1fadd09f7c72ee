//! Whether a configuration fits its data.

use super::RunConfig;
use super::objective::variational::Likelihood;
use crate::data::Shape as DataShape;
use crate::error::{Error, Result};
use crate::ops::array::activation::Activation;
use crate::tensor::Shape;

impl RunConfig {
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
        let expected = match (self.makes_rows(), &self.classifier) {
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
        self.check_augment(data, name)?;
        // What of it images alone have may be gone.
        self.check_views()?;
        if data.is_unit || !self.makes_rows() {
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
    use crate::data::{ImageShape, ValueKind};

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
