//! What torchvision calls the parameters of a residual network: `layer2.0.conv1.weight` and so on.
//!
//! Source: He et al., "Deep Residual Learning for Image Recognition" (2016), as torchvision's `ResNet` of `BasicBlock`s has it, with
//! a stem of one convolution.

use super::BlockConfig;
use super::block::{ConvBlock, LinearBlock, PoolBlock, Pooling, ResidualBlock};
use crate::ops::array::activation::Activation;

/// Names of the parameters, in their order, of a network of these halves: a stem, basic blocks, a global mean, a linear layer; none
/// of any other network.
pub fn names(encoder: &[BlockConfig], decoder: &[BlockConfig]) -> Option<Vec<String>> {
    let [BlockConfig::Unflatten(_), stem @ ..] = encoder else { return None };
    let [conv, norm, relu, blocks @ ..] = stem else { return None };
    let [blocks @ .., BlockConfig::Pool(PoolBlock { pool: Pooling::Global, .. })] = blocks else { return None };
    let [BlockConfig::Linear(LinearBlock { bias: true, activation: Activation::Identity, .. })] = decoder else {
        return None;
    };
    let mut names = named([conv, norm], ["conv1", "bn1"])?;
    if !is_relu(relu) || !blocks.len().is_multiple_of(2) {
        return None;
    }
    let (mut layer, mut place) = (0, 0);
    for pair in blocks.chunks_exact(2) {
        let [BlockConfig::Residual(block), relu] = pair else { return None };
        // What changes the way around begins a layer.
        (layer, place) = if layer == 0 || !block.shortcut.is_empty() { (layer + 1, 0) } else { (layer, place + 1) };
        if !is_relu(relu) {
            return None;
        }
        names.extend(basic_block(block, &format!("layer{layer}.{place}"))?);
    }
    names.extend(["fc.weight", "fc.bias"].map(String::from));
    Some(names)
}

/// The names of a basic block under this prefix.
fn basic_block(block: &ResidualBlock, prefix: &str) -> Option<Vec<String>> {
    let [conv1, norm1, relu, conv2, norm2] = &block.residual[..] else { return None };
    let name = |name: &str| format!("{prefix}.{name}");
    let mut names = named([conv1, norm1], [&name("conv1"), &name("bn1")])?;
    names.extend(named([conv2, norm2], [&name("conv2"), &name("bn2")])?);
    match &block.shortcut[..] {
        [] => {}
        [conv, norm] => names.extend(named([conv, norm], [&name("downsample.0"), &name("downsample.1")])?),
        _ => return None,
    }
    is_relu(relu).then_some(names)
}

/// The names of a convolution without biases and the batch norm behind it.
fn named([conv, norm]: [&BlockConfig; 2], [conv_name, norm_name]: [&str; 2]) -> Option<Vec<String>> {
    let BlockConfig::Conv(ConvBlock { bias: false, activation: Activation::Identity, groups: 1, .. }) = conv else {
        return None;
    };
    let BlockConfig::Norm(_) = norm else { return None };
    let of_norm = ["weight", "bias", "running_mean", "running_var"].map(|what| format!("{norm_name}.{what}"));
    Some([format!("{conv_name}.weight")].into_iter().chain(of_norm).collect())
}

fn is_relu(block: &BlockConfig) -> bool {
    matches!(block, BlockConfig::Activation(own) if own.activation == Activation::Relu)
}
