//! What is refused of `[augment]`, by itself and beside the images that are changed.

use super::{Augment, LONGEST};
use crate::config::objective::refuse;
use crate::error::{Error, Result};

impl Augment {
    /// Refuses values that mean nothing, whatever the images.
    pub(in crate::config) fn check(&self) -> Result<()> {
        let shares = [("flip", self.flip), ("flip_vertical", self.flip_vertical), ("jitter", self.jitter)];
        let shares =
            shares.into_iter().chain([("grey", self.grey), ("resized_crop", self.resized_crop), ("blur", self.blur)]);
        let strengths = [("brightness", self.brightness), ("contrast", self.contrast), ("saturation", self.saturation)];
        let shares = shares.chain(strengths).chain([("shift", self.shift)]).map(|(name, value)| (name, value, 1.0));
        let others = [
            ("hue", self.hue, 0.5),
            ("rotate", self.rotate, 180.0),
            ("scale", self.scale, 0.9),
            ("shear", self.shear, 2.0),
        ];
        for (name, value, most) in shares.chain(others) {
            if !(0.0..=most).contains(&value) {
                return refuse(&format!("augment.{name}"), value, &format!("a number from 0 to {most}"));
            }
        }
        if self.crop > LONGEST {
            return refuse("augment.crop", self.crop, &format!("0 to {LONGEST} pixels"));
        }
        let moved = self.movements().into_iter().find(|(_, most)| *most > 0.0);
        if let Some((key, value)) = moved.filter(|_| self.resized_crop > 0.0) {
            return refuse(
                key,
                value,
                "0 beside augment.resized_crop: a box is cut out of an image, or all of it is moved",
            );
        }
        if let Some(image) =
            self.image.filter(|image| !(1..=LONGEST).contains(&image.0[0].max(image.0[1])) || image.0.contains(&0))
        {
            return refuse("augment.image", image.word(), &format!("sides of 1 to {LONGEST}, and a channel"));
        }
        match self.black.iter().find(|value| !value.is_finite()) {
            Some(value) => refuse("augment.black", value, "numbers"),
            None => Ok(()),
        }
    }

    /// Refuses what cannot be done to images of this size and these channels.
    pub(super) fn check_image(&self, [height, width, channels]: [usize; 3]) -> Result<()> {
        if height.max(width) > LONGEST {
            let problem = format!("augment: images of {height}x{width} pixels: expected sides of at most {LONGEST}");
            return Err(Error::Usage(problem));
        }
        if self.crop >= height.min(width) && self.crop > 0 {
            let side = height.min(width);
            return refuse(
                "augment.crop",
                self.crop,
                &format!("fewer than the {side} pixels of the image's shorter side"),
            );
        }
        let of_colours =
            [("augment.saturation", self.saturation), ("augment.hue", self.hue), ("augment.grey", self.grey)];
        let of_all = of_colours.into_iter().chain(self.strengths());
        if let Some((key, value)) = of_colours.into_iter().find(|(_, most)| *most > 0.0 && channels == 1) {
            return refuse(key, value, "0 for images of one channel, which have no colours");
        }
        if let Some((key, value)) = of_all.into_iter().find(|(_, most)| *most > 0.0 && ![1, 3].contains(&channels)) {
            return refuse(key, value, &format!("0 for images of {channels} channels: colours have three"));
        }
        if !self.black.is_empty() && self.black.len() != channels {
            let found = self.black.len();
            return refuse(
                "augment.black",
                format!("of {found} values"),
                &format!("one for each of {channels} channels"),
            );
        }
        Ok(())
    }
}
