//! What the blocks of an encoder make of images on their way: maps of features.

use crate::config::RunConfig;
use crate::error::Result;
use crate::model::graph;
use crate::nn::BlockConfig;
use crate::nn::network::joined;
use crate::tensor::Shape;
use crate::train::session::{Session, load};

/// Bytes of the largest value of a batch that goes through the encoder at once.
const BATCH_BYTES: usize = 16 << 20;

/// The maps of one block, and of what follows it pixel by pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Maps {
    /// Height, width and channels.
    pub shape: [usize; 3],
    /// `[images, height, width, channels]`.
    pub values: Vec<f32>,
}

/// The blocks of an encoder behind which maps are finished: no norm, activation or dropout works on them any more. By number,
/// with the size of their maps.
fn finished(config: &RunConfig, features: usize) -> Result<Vec<(usize, [usize; 3])>> {
    let blocks = joined(&config.encoder);
    let mut sample = Shape::new(&[features]);
    let mut finished = Vec::new();
    for (number, block) in blocks.iter().enumerate() {
        sample = block.kind().infer(&sample)?;
        let goes_on = matches!(
            blocks.get(number + 1),
            Some(
                BlockConfig::Norm(_)
                    | BlockConfig::GroupNorm(_)
                    | BlockConfig::LayerNorm(_)
                    | BlockConfig::Gdn(_)
                    | BlockConfig::Activation(_)
                    | BlockConfig::Dropout(_)
            )
        );
        let is_given = matches!(block, BlockConfig::Unflatten(_));
        if let (&[height, width, channels], false, false) = (sample.dims(), goes_on, is_given) {
            finished.push((number, [height, width, channels]));
        }
    }
    Ok(finished)
}

/// The block behind which numbers are coded, with the size of its maps; nothing where it makes no map.
fn coded(config: &RunConfig, features: usize) -> Result<Option<(usize, [usize; 3])>> {
    let Some(rate) = &config.rate else { return Ok(None) };
    let behind = rate.spec(config).behind;
    let mut sample = Shape::new(&[features]);
    for block in joined(&config.encoder).iter().take(behind + 1) {
        sample = block.kind().infer(&sample)?;
    }
    Ok(match *sample.dims() {
        [height, width, channels] => Some((behind, [height, width, channels])),
        _ => None,
    })
}

impl Session {
    /// What the encoder makes of rows `[rows, features]` that are images: the maps of its blocks, from the first on. Nothing of
    /// a network that knows no images.
    ///
    /// # Errors
    /// When the device fails.
    pub fn maps(&mut self, rows: &[f32]) -> Result<Vec<Maps>> {
        let features = self.test.holding.data.features;
        let count = rows.len() / features.max(1);
        if self.config.images().is_none() || count == 0 {
            return Ok(Vec::new());
        }
        let finished = finished(&self.config, features)?;
        self.behind(rows, finished)
    }

    /// The whole numbers that rows `[rows, features]` become, as maps; nothing where codes are none, or no images.
    ///
    /// # Errors
    /// When the device fails.
    pub fn coded_maps(&mut self, rows: &[f32]) -> Result<Option<Maps>> {
        let features = self.test.holding.data.features;
        let Some(coded) = coded(&self.config, features)?.filter(|_| !rows.is_empty()) else { return Ok(None) };
        Ok(self.behind(rows, vec![coded])?.pop())
    }

    /// What the encoder has made of rows behind these blocks.
    fn behind(&mut self, rows: &[f32], finished: Vec<(usize, [usize; 3])>) -> Result<Vec<Maps>> {
        let features = self.test.holding.data.features;
        let count = rows.len() / features.max(1);
        let batch = (BATCH_BYTES / (4 * self.config.widest(features))).clamp(1, count);
        let numbers: Vec<usize> = finished.iter().map(|(number, _)| *number).collect();
        let graph = graph::stages(&self.config, batch, features, &numbers)?;
        let (program, device) = (load(self.device.as_mut(), "stages", &graph, &self.choices)?, self.device.as_mut());
        let mut maps: Vec<Maps> = finished.into_iter().map(|(_, shape)| Maps { shape, values: Vec::new() }).collect();
        for rows in rows.chunks(batch * features) {
            let mut padded = rows.to_vec();
            padded.resize(batch * features, 0.0);
            device.write(program, "originals", bytemuck::cast_slice(&padded))?;
            device.run(program, 1)?;
            for (maps, number) in maps.iter_mut().zip(&numbers) {
                let values = device.read_f32(program, &format!("block {number}"))?;
                let valid = rows.len() / features * maps.shape.iter().product::<usize>();
                maps.values.extend_from_slice(&values[..valid]);
            }
        }
        Ok(maps)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_those_that_the_next_layer_reads() {
        let sizes = |model: &str, features: usize| {
            let config = RunConfig::model(model).unwrap();
            finished(&config, features).unwrap().into_iter().map(|(_, size)| size).collect::<Vec<_>>()
        };
        assert_eq!(sizes("conv", 784), [[14, 14, 16], [7, 7, 32]]);
        assert_eq!(sizes("dcgan", 784), [[14, 14, 32], [7, 7, 64]]);
        assert_eq!(sizes("entropic", 784), [[0; 3]; 0]);
    }

    #[test]
    fn coded_maps_are_behind_the_block_that_is_coded() {
        let mut conv = RunConfig::model("conv").unwrap();
        assert_eq!(coded(&conv, 784).unwrap(), None);
        conv.set_all("test", &[("rate.beta", "0.1"), ("rate.layer", "3")]).unwrap();
        assert_eq!(coded(&conv, 784).unwrap(), Some((2, [7, 7, 32])));
        assert_eq!(coded(&RunConfig::model("compressive").unwrap(), 784).unwrap(), None);
    }
}
