//! Keys of blocks, each with its meaning in a line.

use super::meaning::{Key, unsaid};

/// The keys of blocks, each kind by the key that it begins with and what may stand beside it.
pub(super) const BLOCKS: &[Key] = &[
    unsaid("linear", "64", "a linear layer of so many units"),
    unsaid(
        "activation",
        "\"relu\"",
        "behind it, or by itself: identity, relu, leaky-relu, leaky-relu-0.2, sigmoid, tanh, softplus",
    ),
    unsaid("bias", "false", "beside linear or conv: whether something is added; it is if nothing is said"),
    unsaid("conv", "64", "a convolution to so many channels"),
    unsaid("conv_transpose", "32", "a transposed convolution to so many channels, from few pixels to many"),
    unsaid("kernel", "3", "beside conv: pixels that a result sees; two numbers, as [3, 1], where the axes differ"),
    unsaid("stride", "2", "beside conv: pixels from one result to the next, or times as many; 1 if nothing is said"),
    unsaid("padding", "1", "beside conv: zeros around the image; 0 if nothing is said"),
    unsaid("output_padding", "1", "beside conv_transpose: pixels added at the bottom and at the right"),
    unsaid("dilation", "2", "beside conv: pixels from one that is seen to the next; 1 if nothing is said"),
    unsaid(
        "groups",
        "2",
        "beside conv or norm = \"group\": groups of channels, each by itself; 1 if nothing is said of a conv",
    ),
    unsaid("pool", "\"global\"", "one number of many pixels: max or average of a kernel, or the mean of all, global"),
    unsaid("upsample", "2", "an image so many times as high and as wide"),
    unsaid("between", "\"bilinear\"", "beside upsample: what lies between pixels; nearest if nothing is said"),
    unsaid("flatten", "true", "an image becomes a row of numbers"),
    unsaid("unflatten", "\"7x7x32\"", "a row of numbers becomes an image: height, width, channels"),
    unsaid("norm", "\"batch\"", "units brought to mean 0 and variance 1, over the batch, by \"layer\" or by \"group\""),
    unsaid("gdn", "true", "the channels of each pixel divided by a root of a constant and their weighed squares"),
    unsaid("inverse", "true", "beside gdn: multiplied by it instead, to take one back"),
    unsaid("dropout", "0.2", "a share of the units left out of each training step"),
    unsaid("residual", "[{ linear = 64 }]", "blocks around which there is a way"),
    unsaid("shortcut", "[{ linear = 64 }]", "beside residual: blocks on that way; none if nothing is said"),
];
