//! What `[augment]` takes from the data: how rows are images, and what is black in them.

use super::Augment;
use crate::config::RunConfig;
use crate::config::objective::refuse;
use crate::data::{Dataset, Encoding, ImageShape, Shape as DataShape};
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::block::image::ImageSize;

/// What 0 became where values were standardised; nothing where they were not.
fn black(encoding: &Encoding, channels: usize, name: &str) -> Result<Vec<f32>> {
    let maps = &encoding.scale;
    if !maps.is_empty() && maps.len() != channels {
        let problem = format!("augment: the values of {name} were standardised each by itself, not channel by channel");
        return Err(Error::Usage(format!("{problem}: expected images, or data.scale = \"none\"")));
    }
    Ok(maps.iter().map(|map| -map.mean / map.deviation).collect())
}

impl RunConfig {
    /// How images are changed while training, if they are.
    pub fn augmentation(&self) -> Option<&Augment> {
        self.augment.as_ref().filter(|augment| augment.is_on())
    }

    /// Height, width and channels of the images that are changed, as far as the configuration says them.
    fn augmented_image(&self) -> Option<[usize; 3]> {
        let said = self.augment.as_ref().and_then(|augment| augment.image);
        said.map(|image| image.0).or(self.images())
    }

    /// Images \[rows, features\] of a training batch as they are changed at this step; `view` tells draws of one batch apart,
    /// from 0 to 3. As they are where nothing is to be changed.
    ///
    /// # Errors
    /// When it is not said how rows are images, or they are none that this can be done to.
    pub fn augmented(&self, g: &mut Graph, x: Var, clock: Var, view: u32) -> Result<Var> {
        let Some(augment) = self.augmentation() else { return Ok(x) };
        let features = g.ty(x).shape.matrix().map_or(0, |(_, features)| features);
        let image = self.image_of_rows(None, features, "the data")?;
        augment.check_image(image)?;
        augment.apply(g, image, x, clock, view)
    }

    /// Rows \[rows, features\] as a training step changes them, and as the network gets them, under noise if there is any.
    ///
    /// # Errors
    /// As [`augmented`](Self::augmented).
    pub fn changed(&self, g: &mut Graph, x: Var, clock: Var) -> Result<(Var, Var)> {
        // Clusters compare rows with what becomes of them.
        let x = if self.clustering.is_none() { self.augmented(g, x, clock, 0)? } else { x };
        let input = self.corruption.map_or(Ok(x), |corruption| corruption.apply(g, x, clock))?;
        Ok((x, input))
    }

    /// Values of a black pixel, if the configuration says how large images are.
    pub fn black(&self) -> Option<Vec<f32>> {
        let (augment, [.., channels]) = (self.augmentation()?, self.augmented_image()?);
        Some(if augment.black.is_empty() { vec![0.0; channels] } else { augment.black.clone() })
    }

    /// What rows of so many values are images of, by the configuration or else by the data.
    fn image_of_rows(&self, data: Option<ImageShape>, features: usize, name: &str) -> Result<[usize; 3]> {
        let of_data = data.filter(|image| image.height > 1);
        let of_data = of_data.map(|image| [image.height, image.width, image.channels]);
        let Some(image) = self.augmented_image().or(of_data) else {
            let problem = format!("augment: expected images, and {name} has rows of {features} values");
            return Err(Error::Usage(format!("{problem}; augment.image says how rows are images, as \"28x28x1\"")));
        };
        if image.iter().product::<usize>() != features {
            let problem = format!("an image of the {features} values of a row of {name}");
            return refuse("augment.image", ImageSize(image).word(), &problem);
        }
        Ok(image)
    }

    /// Refuses data whose rows cannot be changed as the configuration says.
    pub(in crate::config) fn check_augment(&self, data: &DataShape, name: &str) -> Result<()> {
        let Some(augment) = self.augmentation() else { return Ok(()) };
        augment.check_image(self.image_of_rows(Some(data.image), data.image.values(), name)?)?;
        let coloured = augment.strengths().into_iter().chain([("augment.grey", augment.grey)]);
        match coloured.into_iter().find(|(_, most)| *most > 0.0 && !data.is_unit) {
            Some((key, value)) => {
                refuse(key, value, &format!("0 where values are no colours from 0 to 1, as those of {name}"))
            }
            None => Ok(()),
        }
    }

    /// Takes the size of the images that are changed from data of this shape, called `name`, where neither the configuration
    /// nor the network says it.
    ///
    /// # Errors
    /// [`Error::Usage`] when rows are no images, or none that can be changed like this.
    pub fn follow_shape(&mut self, data: &DataShape, name: &str) -> Result<()> {
        self.check_augment(data, name)?;
        if self.augmentation().is_none() || self.images().is_some() {
            return Ok(());
        }
        let image = self.image_of_rows(Some(data.image), data.image.values(), name)?;
        self.augment.iter_mut().for_each(|augment| augment.image = Some(ImageSize(image)));
        Ok(())
    }

    /// The same of data itself, and what is black in them.
    ///
    /// # Errors
    /// As [`follow_shape`](Self::follow_shape), and when values were standardised each by itself.
    pub fn follow_pixels(&mut self, data: &Dataset) -> Result<()> {
        self.follow_shape(&data.shape(), &data.name)?;
        if self.augmentation().is_none() {
            return Ok(());
        }
        let [.., channels] = self.image_of_rows(Some(data.image()), data.train.width, &data.name)?;
        let black = black(&data.encoding, channels, &data.name)?;
        let unsaid = self.augment.iter_mut().filter(|augment| augment.black.is_empty());
        unsaid.for_each(|augment| augment.black.clone_from(&black));
        Ok(())
    }

    /// What a model says of its own images, for others: what is grey is mostly letters and digits, which mean something else
    /// when mirrored; black around an image is an eighth of its shorter side.
    pub(in crate::config) fn follow_image(&mut self, image: ImageShape) {
        let Some(augment) = &mut self.augment else { return };
        if image.channels == 1 {
            (augment.flip, augment.flip_vertical) = (0.0, 0.0);
        }
        if augment.crop > 0 {
            augment.crop = image.height.min(image.width) / 8;
        }
    }

    /// Leaves colours alone that images of so many channels do not have.
    pub(in crate::config) fn follow_colours(&mut self, image: ImageShape) {
        let Some(augment) = &mut self.augment else { return };
        if image.channels != 3 {
            (augment.saturation, augment.hue, augment.grey) = (0.0, 0.0, 0.0);
        }
        if ![1, 3].contains(&image.channels) {
            (augment.brightness, augment.contrast) = (0.0, 0.0);
        }
    }
}
