//! How what was read became the values of rows, and what the labels stand for: kept with a run, so that other data are
//! mapped the same way.

use serde::{Deserialize, Serialize};

#[cfg(feature = "native")]
use super::columns::Columns;
use super::scaling;
use super::split::Split;

/// Layout of one row, channels innermost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageShape {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
    /// Values of a pixel.
    pub channels: usize,
}

impl ImageShape {
    /// A row of plain values.
    pub const fn row(width: usize) -> Self {
        ImageShape { height: 1, width, channels: 1 }
    }

    /// Values of one image.
    pub fn values(&self) -> usize {
        self.height * self.width * self.channels
    }
}

/// How stored numbers were mapped: less the mean, over the deviation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affine {
    /// Mean in the training rows.
    pub mean: f32,
    /// Standard deviation there.
    pub deviation: f32,
}

/// What the values and labels of rows mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoding {
    /// Layout of a row.
    pub image: ImageShape,
    /// Names of the classes, in the order of their numbers; empty if rows have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// The map of each channel of an image, or of each value of a plain row; empty if values are as they were stored, bytes
    /// as shares of 255.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scale: Vec<Affine>,
    /// Smallest and largest value of the training rows as they were stored, where those are no shares from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<[f32; 2]>,
    /// Smallest and largest value of the training rows, as the network sees them, where they are no shares from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f32; 2]>,
    /// The columns of a table.
    #[cfg(feature = "native")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Columns>,
    /// Whether there are columns of a table, which this build knows nothing else of.
    #[cfg(not(feature = "native"))]
    #[serde(default, skip_serializing, deserialize_with = "is_there")]
    pub columns: bool,
}

/// Whether there is anything, whatever it is.
#[cfg(not(feature = "native"))]
fn is_there<'de, D: serde::Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(value).map(|_| true)
}

impl Encoding {
    /// Images of bytes whose classes have these names.
    pub fn images(image: ImageShape, classes: Vec<String>) -> Self {
        Encoding {
            image,
            classes,
            scale: Vec::new(),
            stored: None,
            range: None,
            #[cfg(feature = "native")]
            columns: None,
            #[cfg(not(feature = "native"))]
            columns: false,
        }
    }

    /// The same whose classes are called by their numbers.
    pub fn numbered(image: ImageShape, classes: usize) -> Self {
        Encoding::images(image, (0..classes).map(|class| class.to_string()).collect())
    }

    /// Whether all values are from 0 to 1, as losses of probabilities take for granted.
    pub fn is_unit(&self) -> bool {
        self.range.is_none()
    }

    /// Whether rows are the columns of a table.
    pub fn is_table(&self) -> bool {
        #[cfg(feature = "native")]
        return self.columns.is_some();
        #[cfg(not(feature = "native"))]
        self.columns
    }

    /// What rows are, for a sentence: `grey images of 28 x 28 pixels`, `a table with the columns 'size', 'colour'`.
    pub fn described(&self) -> String {
        #[cfg(feature = "native")]
        if let Some(columns) = &self.columns {
            return format!("a table with the columns {}", columns.listed());
        }
        let ImageShape { height, width, channels } = self.image;
        match (height, channels) {
            (1, 1) => format!("rows of {width} values"),
            (_, 1) => format!("grey images of {width} x {height} pixels"),
            (_, 3) => format!("colour images of {width} x {height} pixels"),
            _ => format!("images of {channels} channels, {width} x {height} pixels"),
        }
    }

    /// What one row is called, and what several are: images, or rows where they are a table's or plain numbers.
    pub fn words(&self) -> [&'static str; 2] {
        if self.image.height > 1 { ["image", "images"] } else { ["row", "rows"] }
    }

    /// Values as the network sees them as they were stored, if they are no columns of a table: bytes as shares of 255.
    pub fn as_stored(&self, values: &[f32]) -> Vec<f32> {
        let maps = &self.scale;
        let stored = |(place, &x): (usize, &f32)| match maps.len() {
            0 => x,
            channels => x * maps[place % channels].deviation + maps[place % channels].mean,
        };
        values.iter().enumerate().map(stored).collect()
    }

    /// Values as the network sees them as shares from black to white: as they were stored where those were shares, else
    /// between the smallest and the largest of the training rows.
    pub fn shown(&self, values: &[f32]) -> Vec<f32> {
        let [least, most] = self.stored.unwrap_or([0.0, 1.0]);
        let share = |stored: f32| (stored - least) / (most - least).max(f32::MIN_POSITIVE);
        self.as_stored(values).into_iter().map(share).collect()
    }

    /// Rows as they were stored as the network sees them.
    pub fn mapped(&self, rows: &Split) -> Split {
        scaling::apply(rows.clone(), self.image, &self.scale)
    }

    /// What [`shown`](Self::shown) has shown, as the network sees it.
    pub fn seen(&self, shares: &[f32]) -> Vec<f32> {
        let [least, most] = self.stored.unwrap_or([0.0, 1.0]);
        let channels = self.scale.len().max(1);
        let seen = |(place, &share): (usize, &f32)| {
            let stored = least + share * (most - least);
            self.scale.get(place % channels).map_or(stored, |map| (stored - map.mean) / map.deviation)
        };
        shares.iter().enumerate().map(seen).collect()
    }

    /// The number of the class of this name.
    pub fn class(&self, name: &str) -> Option<u16> {
        let place = self.classes.iter().position(|class| class == name)?;
        u16::try_from(place).ok()
    }

    /// What these classes are called, for a sentence.
    pub fn names_of(&self, classes: &[u16]) -> String {
        classes.iter().map(|&class| self.class_name(class)).collect::<Vec<_>>().join(", ")
    }

    /// What a class is called.
    pub fn class_name(&self, class: u16) -> &str {
        self.classes.get(usize::from(class)).map_or("?", String::as_str)
    }
}
