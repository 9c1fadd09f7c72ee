//! What networks are made of: blocks, one file a kind.
//!
//! A kind of block is a configuration (its keys in TOML), a rule for the shape of a sample, and parameters; built, it
//! takes a batch forward. A further kind is a file here and a line in `blocks!`.

mod activation;
mod batch_norm;
mod conv;
mod conv_transpose;
mod dropout;
mod flatten;
mod gdn;
mod group_norm;
pub mod image;
mod layer_norm;
mod linear;
mod pool;
mod residual;
mod upsample;

use std::fmt::Debug;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use toml::Table;

pub use activation::ActivationBlock;
pub use batch_norm::{BatchNormBlock, by_moments};
pub use conv::ConvBlock;
pub use conv_transpose::ConvTransposeBlock;
pub use dropout::{DropoutBlock, dropped};
pub use flatten::{FlattenBlock, UnflattenBlock};
pub use gdn::GdnBlock;
pub use group_norm::GroupNormBlock;
pub use layer_norm::{LayerNormBlock, layer_norm};
pub use linear::LinearBlock;
pub use pool::{PoolBlock, Pooling};
pub use residual::ResidualBlock;
pub use upsample::{Filling, UpsampleBlock};

use super::builder::Builder;
use super::{Layer, Pass};
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::ops::array::activation::Activation;
use crate::tensor::Shape;

/// A batch under way through blocks.
#[derive(Debug)]
pub struct Flow<'g> {
    /// The graph.
    pub graph: &'g mut Graph,
    /// The clock, which says how many rows of the batch count and what is drawn; needed where a network learns.
    pub clock: Option<Var>,
    /// What it is computed for.
    pub pass: Pass,
    /// Moments of a batch \[2, channels\] that blocks have normalised by, with the names of the buffers that stand for
    /// them outside of training: mean and variance.
    pub moments: Vec<([String; 2], Var)>,
}

impl Flow<'_> {
    /// The clock.
    ///
    /// # Errors
    /// When there is none.
    pub fn clock(&self) -> Result<Var> {
        self.clock.ok_or_else(|| Error::graph("network", "has no clock, so it cannot learn"))
    }
}

/// A block with its parameters in a graph.
pub trait Block: Debug {
    /// What becomes of X \[batch, …\].
    ///
    /// # Errors
    /// When X has another shape than the block was built for.
    fn forward(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var>;

    /// The linear layer that it is, if it is one.
    fn layer(&self) -> Option<&Layer> {
        None
    }

    /// The activation that it is and nothing else, if it is one.
    fn activation(&self) -> Option<Activation> {
        None
    }

    /// Whether a unit of its output depends on that unit of its input alone, whatever the batch, so that the paths
    /// through a network go through it as if it were not there.
    fn is_pointwise(&self) -> bool {
        false
    }
}

/// A kind of block, as a configuration asks for it.
pub trait Kind: Debug {
    /// Refuses values without meaning; `key` is the block's, as `encoder.2`.
    ///
    /// # Errors
    /// [`Error::Usage`] that begins with the key of the value.
    fn check(&self, key: &str) -> Result<()> {
        let _ = key;
        Ok(())
    }

    /// Shape of a sample behind it, given that before it.
    ///
    /// # Errors
    /// When it cannot take such samples; the message says what was expected.
    fn infer(&self, sample: &Shape) -> Result<Shape> {
        Ok(sample.clone())
    }

    /// The block for samples of this shape, its parameters made by the builder.
    ///
    /// # Errors
    /// As [`infer`](Kind::infer).
    fn build(&self, b: &mut Builder<'_>, sample: &Shape) -> Result<Box<dyn Block>>;

    /// How many modules of PyTorch's `nn.Sequential` it stands for; parameters are numbered by them.
    fn modules(&self) -> usize {
        1
    }

    /// How many blocks it is, with those inside it.
    fn blocks(&self) -> usize {
        1
    }

    /// In a word or two, for tables.
    fn word(&self) -> String;
}

/// Declares the kinds of blocks: a variant, its type, and how a configuration spells it, by a key or by a key and a
/// word.
macro_rules! blocks {
    ($($variant:ident($kind:ty) = $key:literal $(: $word:literal)?),+ $(,)?) => {
        /// A block of a network, as a configuration asks for it.
        #[derive(Clone, Debug, PartialEq)]
        pub enum BlockConfig {
            $(#[doc = concat!("`", $key, "`")] $variant($kind)),+
        }

        impl BlockConfig {
            /// What its kind says of it.
            pub fn kind(&self) -> &dyn Kind {
                match self {
                    $(BlockConfig::$variant(kind) => kind),+
                }
            }

            fn from_table(table: Table) -> Result<Self, String> {
                $(
                    if is_spelt(&table, $key, [$($word)?].first().copied()) {
                        let kind: Result<$kind, toml::de::Error> = table.try_into();
                        return kind.map(BlockConfig::$variant).map_err(|error| error.message().to_string());
                    }
                )+
                let spelt = [$(concat!($key, $(" = \"", $word, "\"")?)),+].join(", ");
                Err(format!("a block of no kind; there are {spelt}"))
            }
        }

        // Straight from its own type, whose keys stand in the order in which one reads them: kind first.
        impl Serialize for BlockConfig {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(BlockConfig::$variant(kind) => kind.serialize(serializer)),+
                }
            }
        }
    };
}

blocks! {
    Linear(LinearBlock) = "linear",
    Conv(ConvBlock) = "conv",
    ConvTranspose(ConvTransposeBlock) = "conv_transpose",
    Flatten(FlattenBlock) = "flatten",
    Unflatten(UnflattenBlock) = "unflatten",
    Norm(BatchNormBlock) = "norm": "batch",
    LayerNorm(LayerNormBlock) = "norm": "layer",
    GroupNorm(GroupNormBlock) = "norm": "group",
    Gdn(GdnBlock) = "gdn",
    Pool(PoolBlock) = "pool",
    Upsample(UpsampleBlock) = "upsample",
    Dropout(DropoutBlock) = "dropout",
    Residual(ResidualBlock) = "residual",
    Activation(ActivationBlock) = "activation",
}

/// Whether a table is a block of the kind that this key, and this word if the key has several, stand for.
fn is_spelt(table: &Table, key: &str, word: Option<&str>) -> bool {
    table.get(key).is_some_and(|value| word.is_none_or(|word| value.as_str() == Some(word)))
}

impl BlockConfig {
    /// A linear layer of this width with its activation.
    pub fn linear(width: usize, activation: Activation) -> Self {
        BlockConfig::Linear(LinearBlock { linear: width, activation, bias: true })
    }

    /// The linear layer that it is, if it is one.
    pub fn as_linear(&self) -> Option<&LinearBlock> {
        match self {
            BlockConfig::Linear(linear) => Some(linear),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn as_linear_mut(&mut self) -> Option<&mut LinearBlock> {
        match self {
            BlockConfig::Linear(linear) => Some(linear),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for BlockConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BlockConfig::from_table(Table::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// The blocks of a list for samples of this shape, and the shape behind them; parameters of each are numbered by its
/// place in PyTorch's `nn.Sequential`, from `first` on.
///
/// # Errors
/// When a block cannot take what the one before it gives.
pub fn sequence(
    b: &mut Builder<'_>,
    blocks: &[BlockConfig],
    sample: &Shape,
    first: usize,
) -> Result<(Vec<Box<dyn Block>>, Shape)> {
    let (mut built, mut sample, mut place) = (Vec::with_capacity(blocks.len()), sample.clone(), first);
    for block in blocks {
        let behind = block.kind().infer(&sample)?;
        built.push(b.within(place, |b| block.kind().build(b, &sample))?);
        place += block.kind().modules();
        sample = behind;
    }
    Ok((built, sample))
}

/// Width of a sample that is a vector.
fn width(kind: &str, sample: &Shape) -> Result<usize> {
    match sample.dims() {
        [width] => Ok(*width),
        _ => {
            let found = format!("{kind}: expected rows of numbers, found images of {sample}");
            Err(Error::Usage(format!("{found}; a block flatten = true before it makes rows of them")))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct File {
        encoder: Vec<BlockConfig>,
    }

    fn read(text: &str) -> Result<Vec<BlockConfig>, String> {
        toml::from_str::<File>(text).map(|file| file.encoder).map_err(|error| error.to_string())
    }

    const ALL: &str = "[[encoder]]\nlinear = 6\nactivation = \"relu\"\n[[encoder]]\nnorm = \"batch\"\n[[encoder]]\n\
                       norm = \"layer\"\n[[encoder]]\n\
                       dropout = 0.5\n[[encoder]]\nresidual = [{ linear = 6 }, { activation = \"tanh\" }]\n";

    #[test]
    fn every_kind_reads_back_as_it_was_written() {
        let encoder = read(ALL).unwrap();
        let words: Vec<String> = encoder.iter().map(|block| block.kind().word()).collect();
        assert_eq!(words, ["linear 6, relu", "batch norm", "layer norm", "dropout 0.5", "residual of 2"]);
        let text = toml::to_string(&File { encoder: encoder.clone() }).unwrap();
        assert_eq!(read(&text).unwrap(), encoder, "{text}");
        let order = |a: &str, b: &str| text.find(a).unwrap() < text.find(b).unwrap();
        assert!(order("linear = 6", "activation = \"relu\""), "the kind comes first: {text}");
        let deep = text[text.find("residual").unwrap()..].to_string();
        assert!(deep.find("linear").unwrap() < deep.find("activation").unwrap(), "{deep}");
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for (block, named) in [("linaer = 6", "linear"), ("linear = 6\nwidth = 2", "width"), ("norm = \"no\"", "batch")]
        {
            let message = read(&format!("[[encoder]]\nlinear = 6\n[[encoder]]\n{block}\n")).unwrap_err();
            assert!(message.contains(named), "{block}: {message}");
        }
    }

    #[test]
    fn shapes_are_inferred_and_parameters_named_by_place() {
        let mut graph = Graph::new();
        let mut b = Builder::new(&mut graph);
        let (built, behind) = b.within("net", |b| sequence(b, &read(ALL).unwrap(), &Shape::new(&[4]), 1)).unwrap();
        assert_eq!((built.len(), behind), (5, Shape::new(&[6])));
        let names: Vec<String> = b.finish().into_iter().map(|parameter| parameter.name).collect();
        let expected = [
            "net.1.weight",
            "net.1.bias",
            "net.3.weight",
            "net.3.bias",
            "net.3.running_mean",
            "net.3.running_var",
            "net.4.weight",
            "net.4.bias",
            "net.6.blocks.0.weight",
            "net.6.blocks.0.bias",
        ];
        assert_eq!(names, expected);
        let narrow = read("[[encoder]]\nresidual = [{ linear = 3 }]\n").unwrap();
        let mut graph = Graph::new();
        let message = sequence(&mut Builder::new(&mut graph), &narrow, &Shape::new(&[4]), 0).unwrap_err().to_string();
        assert!(message.contains("residual") && message.contains('3') && message.contains('4'), "{message}");
    }
}
