//! Which layer of a network reads which.

use super::block::{BlockConfig, ResidualBlock};
use super::network::{NetworkSpec, SCOPE, first_place};
use super::wired::{Fate, Reading, Weights, Wired};
use crate::error::{Error, Result};
use crate::ops::array::activation::Activation;
use crate::tensor::Shape;

/// The activation of a layer that has none.
const PLAIN: Activation = Activation::Identity;

/// The layers of a network for samples of this shape, from the rows to the answer; of a block with a way around it first the
/// layers within, then those of the way.
///
/// # Errors
/// When a block cannot take what the one before it gives; the message begins with its key.
pub fn wiring(spec: &NetworkSpec, sample: &Shape) -> Result<Vec<Wired>> {
    let coded = spec.coding.as_ref().map(|coding| coding.behind + 1);
    let mut walk = Walk { layers: Vec::new(), open: None, sample: sample.clone(), until_coded: coded };
    let place = walk.blocks(&spec.encoder, "encoder", SCOPE, first_place(&spec.encoder), true)?;
    if let Some(code) = spec.prior {
        (walk.open, walk.sample) = (None, Shape::new(&[code]));
    }
    walk.blocks(&spec.decoder, "decoder", SCOPE, place, true)?;
    Ok(walk.layers)
}

/// The units of a layer on their way to the one that reads them.
struct Open {
    layer: usize,
    /// How many there are, once that is known; until then each number of a row may be one.
    units: Option<usize>,
    norms: Vec<String>,
    images: Vec<String>,
    /// Whether nothing has been done to them yet.
    is_plain: bool,
}

/// A way through the blocks of a network.
struct Walk {
    layers: Vec<Wired>,
    open: Option<Open>,
    sample: Shape,
    /// Blocks up to where units become whole numbers, if they do.
    until_coded: Option<usize>,
}

impl Walk {
    /// Goes through a list of blocks whose modules are numbered from `place` on; an activation behind a linear layer is that
    /// layer's where the list `joins` them. The place behind it.
    fn blocks(
        &mut self,
        blocks: &[BlockConfig],
        key: &str,
        scope: &str,
        mut place: usize,
        joins: bool,
    ) -> Result<usize> {
        let mut before = None;
        for (index, block) in blocks.iter().enumerate() {
            let key = format!("{key}.{}", index + 1);
            if let (BlockConfig::Activation(own), Some(PLAIN), true) = (block, before, joins) {
                self.touch();
                before = Some(own.activation);
                continue;
            }
            before = block.as_linear().map(|linear| linear.activation);
            if joins {
                match self.until_coded {
                    Some(0) => {
                        self.until_coded = None;
                        self.bind(|| "[rate] counts them one by one".to_string());
                    }
                    blocks => self.until_coded = blocks.map(|blocks| blocks - 1),
                }
            }
            let at = |error: Error| Error::Usage(format!("{key}: {error}"));
            let behind = block.kind().infer(&self.sample).map_err(at)?;
            self.block(block, &key, &format!("{scope}.{place}")).map_err(at)?;
            self.sample = behind;
            place += block.kind().modules();
        }
        Ok(place)
    }

    fn block(&mut self, block: &BlockConfig, key: &str, name: &str) -> Result<()> {
        match block {
            BlockConfig::Linear(linear) => {
                let numbers = [self.sample.elements(), linear.linear];
                self.layer([key, name], Weights::Linear, numbers, [linear.bias, linear.activation == PLAIN]);
            }
            BlockConfig::Conv(conv) => {
                let (of, inputs) = conv.of(&self.sample)?;
                let has = [conv.bias, conv.activation == PLAIN];
                self.layer([key, name], Weights::Conv(of), [inputs, conv.conv], has);
            }
            BlockConfig::ConvTranspose(conv) => {
                let (of, inputs) = conv.of(&self.sample)?;
                let has = [conv.bias, conv.activation == PLAIN];
                self.layer([key, name], Weights::Transposed(of), [inputs, conv.conv_transpose], has);
            }
            BlockConfig::Norm(_) => {
                if let Some(open) = &mut self.open {
                    if open.is_plain {
                        self.layers[open.layer].norm = Some(name.to_string());
                    }
                    open.norms.push(name.to_string());
                }
                self.touch();
            }
            BlockConfig::LayerNorm(_) | BlockConfig::GroupNorm(_) | BlockConfig::Gdn(_) => {
                self.bind(|| format!("{key}, a {}, mixes them", block.kind().word()));
            }
            BlockConfig::Residual(residual) => self.residual(residual, key, name)?,
            BlockConfig::Unflatten(image) => {
                let [.., made] = image.unflatten.0;
                if self.open.as_ref().and_then(|open| open.units).is_some_and(|units| units != made) {
                    self.bind(|| format!("{key} makes other channels of them"));
                }
                if let Some(open) = &mut self.open {
                    open.units = Some(made);
                    open.images.push(key.to_string());
                }
                self.touch();
            }
            BlockConfig::Activation(_)
            | BlockConfig::Dropout(_)
            | BlockConfig::Pool(_)
            | BlockConfig::Upsample(_)
            | BlockConfig::Flatten(_) => self.touch(),
        }
        Ok(())
    }

    /// A layer reads the units that are under way and writes others.
    fn layer(&mut self, [key, name]: [&str; 2], weights: Weights, numbers: [usize; 2], has: [bool; 2]) {
        let ([inputs, outputs], [has_bias, is_plain], by) = (numbers, has, self.layers.len());
        let groups = match weights {
            Weights::Linear => 1,
            Weights::Conv(of) | Weights::Transposed(of) => of.groups,
        };
        if groups > 1 {
            self.bind(|| format!("{key} works in {groups} groups of channels"));
        }
        if let Some(open) = self.open.take() {
            let units = open.units.unwrap_or(inputs);
            let reading = Reading { units, by, norms: open.norms, images: open.images };
            self.layers[open.layer].fate = Fate::Read(reading);
        }
        let (key, name) = (key.to_string(), name.to_string());
        let fate = Fate::Answered;
        self.layers.push(Wired { key, name, weights, inputs, outputs, has_bias, norm: None, fate });
        let units = (weights != Weights::Linear).then_some(outputs);
        self.open = Some(Open { layer: by, units, norms: Vec::new(), images: Vec::new(), is_plain });
        if groups > 1 {
            self.bind(|| format!("it works in {groups} groups of channels"));
        }
    }

    /// Blocks with a way around them: what comes in goes both ways, what comes out is a sum.
    fn residual(&mut self, residual: &ResidualBlock, key: &str, name: &str) -> Result<()> {
        let sum = || format!("the sum of {key} shares them");
        self.bind(sum);
        let sample = self.sample.clone();
        for (what, module, blocks) in
            [("residual", "blocks", &residual.residual), ("shortcut", "shortcut", &residual.shortcut)]
        {
            self.sample = sample.clone();
            self.blocks(blocks, &format!("{key}.{what}"), &format!("{name}.{module}"), 0, false)?;
            self.bind(sum);
        }
        self.sample = sample;
        Ok(())
    }

    /// What is under way is no longer as it was written.
    fn touch(&mut self) {
        self.open.iter_mut().for_each(|open| open.is_plain = false);
    }

    /// What is under way stays for this reason.
    fn bind(&mut self, why: impl FnOnce() -> String) {
        if let Some(open) = self.open.take() {
            self.layers[open.layer].fate = Fate::Bound(why());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::nn::Network;

    fn blocks(text: &str) -> Vec<BlockConfig> {
        toml::from_str::<toml::Table>(&format!("b = [{text}]")).unwrap()["b"].clone().try_into().unwrap()
    }

    fn wired(encoder: &str, decoder: &str, sample: usize) -> Vec<Wired> {
        let spec = NetworkSpec { encoder: blocks(encoder), decoder: blocks(decoder), ..NetworkSpec::default() };
        let sample = Shape::new(&[sample]);
        let layers = wiring(&spec, &sample).unwrap();
        // Every layer has its weights in the network that is built, and each of its matrices belongs to a layer.
        let network = Network::build(&mut Graph::new(), &spec, &sample).unwrap();
        let is_matrix =
            |name: &str| network.parameters.iter().any(|own| own.name == name && own.ty.shape.dims().len() == 2);
        for layer in &layers {
            assert!(is_matrix(&format!("{}.weight", layer.name)), "{layer:?}");
            let bias = format!("{}.bias", layer.name);
            assert_eq!(layer.has_bias, network.parameters.iter().any(|own| own.name == bias), "{bias}");
            let norms = layer.reading().map_or(&[][..], |reading| &reading.norms);
            for norm in norms.iter().chain(&layer.norm) {
                let mean = format!("{norm}.running_mean");
                assert!(network.parameters.iter().any(|own| own.name == mean), "{mean}");
            }
        }
        assert_eq!(network.layer_weights().count(), layers.len());
        layers
    }

    fn reading(layer: &Wired) -> (usize, usize, usize, usize) {
        let Reading { units, by, norms, images } = layer.reading().unwrap();
        (*units, *by, norms.len(), images.len())
    }

    #[test]
    fn channels_are_followed_through_all_that_keeps_them() {
        let layers = wired(
            "{ unflatten = '8x8x1' }, { conv = 4, kernel = 3, padding = 1, bias = false }, { norm = 'batch' }, \
             { activation = 'relu' }, { pool = 'max', kernel = 2 }, { conv = 6, kernel = 3 }, { flatten = true }, \
             { linear = 3 }, { activation = 'relu' }",
            "{ linear = 20, bias = false }, { norm = 'batch' }, { unflatten = '2x2x5' }, { dropout = 0.5 }, \
             { upsample = 2 }, { conv_transpose = 1, kernel = 2, stride = 2 }, { flatten = true }",
            64,
        );
        let keys: Vec<&str> = layers.iter().map(|layer| layer.key.as_str()).collect();
        assert_eq!(keys, ["encoder.2", "encoder.6", "encoder.8", "decoder.1", "decoder.6"]);
        let [first, second, code, made, last] = &layers[..] else { panic!() };
        assert_eq!(reading(first), (4, 1, 1, 0));
        assert_eq!(reading(second), (6, 2, 0, 0));
        assert_eq!(reading(code), (3, 3, 0, 0));
        assert_eq!(reading(made), (5, 4, 1, 1), "its units are the channels of the image");
        assert_eq!(last.fate, Fate::Answered);
        assert_eq!(first.norm.as_ref(), first.reading().unwrap().norms.first());
        assert!(made.norm.is_some() && code.norm.is_none());
        assert_eq!(second.extents(), [6, 4, 3, 3]);
        assert_eq!(last.extents(), [1, 5, 2, 2]);
    }

    /// Each coded unit has a distribution of its own, which nobody takes out with it.
    #[test]
    fn what_becomes_whole_numbers_stays() {
        let config = crate::config::RunConfig::model("compressive").unwrap();
        let fates = |layer: usize| {
            let mut config = config.clone();
            if let Some(rate) = &mut config.rate {
                rate.layer = layer;
            }
            let layers = wiring(&config.network_spec(), &Shape::new(&[784])).unwrap();
            layers.iter().map(|layer| matches!(layer.fate, Fate::Bound(_))).collect::<Vec<_>>()
        };
        assert_eq!(fates(0), [false, true, false]);
        assert_eq!(fates(1), [true, false, false]);
    }

    #[test]
    fn what_is_shared_or_mixed_stays() {
        let norm = "{ norm = 'batch' }";
        let conv = |channels: usize| format!("{{ conv = {channels}, kernel = 3, padding = 1, bias = false }}, {norm}");
        let residual = format!("{{ residual = [{}, {{ activation = 'relu' }}, {}] }}", conv(3), conv(2));
        let layers = wired(
            &format!(
                "{{ unflatten = '4x4x1' }}, {}, {residual}, {}",
                conv(2),
                "{ activation = 'relu' }, { pool = 'global' }"
            ),
            "{ linear = 4 }, { norm = 'layer' }, { linear = 4 }",
            16,
        );
        let [first, inner, outer, mixed, answer] = &layers[..] else { panic!("{layers:?}") };
        let bound = |layer: &Wired| match &layer.fate {
            Fate::Bound(why) => why.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(bound(first), "the sum of encoder.4 shares them");
        assert_eq!(reading(inner), (3, 2, 1, 0));
        assert_eq!(inner.key, "encoder.4.residual.1");
        assert_eq!((bound(outer), outer.norm.is_some()), (bound(first), true));
        assert_eq!(bound(mixed), "decoder.2, a layer norm, mixes them");
        assert_eq!(answer.fate, Fate::Answered);
        let grouped = wired(
            "{ unflatten = '4x4x1' }, { conv = 4, kernel = 3 }, { conv = 4, kernel = 1, groups = 2 }, { conv = 2, kernel = 1 }",
            "{ flatten = true }",
            16,
        );
        assert_eq!(bound(&grouped[0]), "encoder.3 works in 2 groups of channels");
        assert_eq!(bound(&grouped[1]), "it works in 2 groups of channels");
        // The second group of results sees the second group of channels.
        assert_eq!([grouped[1].joins(1, 1), grouped[1].joins(2, 0)], [[1, 1, 0], [2, 2, 0]]);
    }

    #[test]
    fn the_share_of_pixels_at_which_a_pixel_of_the_kernel_sees_the_image_is_counted() {
        let layers = wired(
            "{ unflatten = '4x4x1' }, { conv = 1, kernel = [3, 1], padding = [1, 0], stride = [1, 2] }",
            "{ conv_transpose = 1, kernel = 2, stride = 2 }, { conv = 1, kernel = 2 }",
            16,
        );
        // Above the first of four rows, and below the last, there is nothing.
        assert_eq!(layers[0].shares().unwrap(), [0.75, 1.0, 0.75]);
        // Each of four pixels is written by one of the kernel.
        assert_eq!(layers[1].shares().unwrap(), [0.25; 4]);
        assert_eq!(layers[2].shares().unwrap(), [1.0; 4]);
    }
}
