//! Images: convolutions, pools, what makes them larger, norms of groups of channels.

use super::matrix::biases;
use crate::error::Result;
use crate::onnx::messages::Attribute;
use crate::onnx::writing::{Layout, Writing};
use crate::ops::conv::{Convolution, Window};
use crate::ops::norm::group_norm::{EPSILON, GroupNorm};
use crate::ops::pool::Pool;
use crate::ops::pool::upsample::{Between, Upsample};

/// What an operator is told of a window.
fn attributes(window: &Window) -> Vec<Attribute> {
    let Window { kernel, stride, padding: [above, left], dilation } = window;
    vec![
        Attribute::ints("kernel_shape", kernel),
        Attribute::ints("strides", stride),
        Attribute::ints("pads", &[*above, *left, *above, *left]),
        Attribute::ints("dilations", dilation),
    ]
}

/// Kernels \[a, b, height, width\] of \[a, height, width, b\].
fn channels_first(numbers: &[f64], [count, taps, channels]: [usize; 3]) -> Vec<f64> {
    let at = |kernel: usize, channel: usize, tap: usize| numbers[(kernel * taps + tap) * channels + channel];
    let kernels = (0..count).flat_map(|kernel| (0..channels).map(move |channel| (kernel, channel)));
    kernels.flat_map(|(kernel, channel)| (0..taps).map(move |tap| at(kernel, channel, tap))).collect()
}

/// One operator of an image and kernels, with the biases behind it.
fn with_kernels(
    w: &mut Writing<'_>,
    index: usize,
    op: &str,
    [from, to]: [[usize; 2]; 2],
    (window, numbers): (&Window, &[f64]),
    more: Vec<Attribute>,
) -> Result<()> {
    let [x, weights] = [w.node(index).inputs[0], w.node(index).inputs[1]];
    let count = w.constant(weights, "a kernel")?.shape.matrix().map_or(1, |(count, _)| count);
    let (taps, [height, width]) = (window.taps(), window.kernel);
    let channels = numbers.len() / (count * taps);
    let turned = channels_first(numbers, [count, taps, channels]);
    let x = w.image(x, from)?;
    let name = w.name(weights.node);
    let mut operands = vec![x, w.floats(&name, &[count, channels, height, width], &turned)];
    let biases = biases(w, index);
    operands.extend(biases.iter().map(|(_, name)| name.clone()));
    let name = w.add(op, &operands, [attributes(window), more].concat());
    w.made(biases.map_or(index, |(user, _)| user), name, Layout::Image(to));
    Ok(())
}

/// A convolution.
pub(super) fn conv(w: &mut Writing<'_>, index: usize, of: &Convolution) -> Result<()> {
    let numbers = w.constant(w.node(index).inputs[1], "a kernel")?.real().to_vec();
    let sizes = [of.size, of.output()?];
    with_kernels(w, index, "Conv", sizes, (&of.window, &numbers), vec![Attribute::int("group", of.groups)])
}

/// A product with each pixel of images of this size, as the convolution that it is.
pub(super) fn of_pixels(w: &mut Writing<'_>, index: usize, size: [usize; 2], numbers: &[f64]) -> Result<()> {
    with_kernels(w, index, "Conv", [size, size], (&Window::square(1), numbers), Vec::new())
}

/// A transposed convolution, whose output is the input of the convolution that it turns back.
pub(super) fn conv_transpose(w: &mut Writing<'_>, index: usize, of: &Convolution) -> Result<()> {
    let numbers = w.constant(w.node(index).inputs[1], "a kernel")?.real().to_vec();
    let (from, Window { kernel, stride, padding, dilation }) = (of.output()?, of.window);
    // What a convolution with a stride leaves over at the end.
    let left = |axis: usize| {
        of.size[axis] + 2 * padding[axis] - (from[axis] - 1) * stride[axis] - dilation[axis] * (kernel[axis] - 1) - 1
    };
    let more = vec![Attribute::int("group", of.groups), Attribute::ints("output_padding", &[left(0), left(1)])];
    with_kernels(w, index, "ConvTranspose", [from, of.size], (&of.window, &numbers), more)
}

/// The largest or the mean of a window; the mean counts padding as zeros.
pub(super) fn pool(w: &mut Writing<'_>, index: usize, of: &Pool, is_max: bool) -> Result<()> {
    let x = w.image(w.node(index).inputs[0], of.size)?;
    let name = if is_max {
        w.add("MaxPool", &[x], attributes(&of.window))
    } else if *of == Pool::global(of.size) {
        w.add("GlobalAveragePool", &[x], Vec::new())
    } else {
        // Windows of means have no dilation, and this operator knows of none until opset 19.
        let mut attributes = attributes(&of.window);
        attributes.retain(|attribute| attribute.name != "dilations");
        attributes.push(Attribute::int("count_include_pad", 1));
        w.add("AveragePool", &[x], attributes)
    };
    w.made(index, name, Layout::Image(of.output()?));
    Ok(())
}

/// An image a whole number of times as large.
pub(super) fn upsample(w: &mut Writing<'_>, index: usize, of: &Upsample) -> Result<()> {
    let x = w.image(w.node(index).inputs[0], of.size)?;
    let factor = of.factor as f64;
    let scales = w.floats(&format!("times_{}", of.factor), &[4], &[1.0, 1.0, factor, factor]);
    let words = match of.between {
        Between::Nearest => [("mode", "nearest"), ("coordinate_transformation_mode", "asymmetric")],
        Between::Bilinear => [("mode", "linear"), ("coordinate_transformation_mode", "half_pixel")],
    };
    let mut attributes: Vec<Attribute> = words.iter().map(|(name, word)| Attribute::word(name, word)).collect();
    if of.between == Between::Nearest {
        attributes.push(Attribute::word("nearest_mode", "floor"));
    }
    // No region of interest.
    let name = w.add("Resize", &[x, String::new(), scales], attributes);
    let [height, width] = of.size;
    w.made(index, name, Layout::Image([height * of.factor, width * of.factor]));
    Ok(())
}

/// Groups of channels of every sample: the instance norm of as many channels as groups, then a number for each channel.
pub(super) fn group_norm(w: &mut Writing<'_>, index: usize, of: GroupNorm) -> Result<()> {
    let inputs = w.node(index).inputs.clone();
    let channels = w.columns(inputs[0]);
    let [scale, shift] = [inputs[1], inputs[2]].map(|var| w.constant(var, "a norm").map(|own| own.real().to_vec()));
    let (scale, shift) = (scale?, shift?);
    // Rows that nobody has read as images yet are a sample's pixels, one below the other.
    let size = match w.value(inputs[0])?.layout {
        Layout::Image(size) => size,
        _ => [of.rows_per_sample, 1],
    };
    let x = w.image(inputs[0], size)?;
    let cut = w.reshaped(&x, &[0, of.groups as i64, -1]);
    let ones = w.floats("ones", &[of.groups], &vec![1.0; of.groups]);
    let zeros = w.floats("zeros", &[of.groups], &vec![0.0; of.groups]);
    let normal = w.add("InstanceNormalization", &[cut, ones, zeros], vec![Attribute::float("epsilon", EPSILON)]);
    let mut name = w.reshaped(&normal, &[-1, channels as i64, size[0] as i64, size[1] as i64]);
    for (op, var, numbers) in [("Mul", inputs[1], scale), ("Add", inputs[2], shift)] {
        let own = w.name(var.node);
        let own = w.floats(&own, &[channels, 1, 1], &numbers);
        name = w.add(op, &[name, own], Vec::new());
    }
    w.made(index, name, Layout::Image(size));
    Ok(())
}
