//! `gpu-ae inspect`

use std::path::PathBuf;

use gpu_ae::Result;
use gpu_ae::report::format_number;
use gpu_ae::study::inspect::inspect;

use crate::cli::flags::{DataFlags, DeviceFlag, open_run};
use crate::cli::output::{say, say_json};
use crate::cli::terminal::table;

#[derive(clap::Args)]
#[command(
    after_help = "A layer is whatever has weights, within residual blocks as well; weights are outputs x inputs, and of a kernel \
height and width. Columns: H is the Shannon entropy in nats of the activeness of its units (sums of absolute weights in, biases \
among them, out, as the next layer reads them, and the product of both), width is exp(H), the number of units evenly in use; linked \
counts units whose sum is over a thousandth of the layer's largest, in, out and both. A unit is a neuron, or a channel, with its \
whole kernel, of an image; norms are left out of the sums. - stands for what a residual sum or a mixing norm reads, and what \
only a chain of linear layers has. Effective width is exp of the entropy of the neurons' shares of all \
paths from the inputs to the outputs, effective_width_N in metrics.jsonl. Active counts the neurons of a linear layer that make \
more than a thousandth of the differences in the next layer, active_units_N in metrics.jsonl as train measured it on a thousand \
test images; weights alone do not tell it. Only the product, the effective width and what is active cannot be changed by rescaling \
a ReLU neuron."
)]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<()> {
    let (directory, checkpoint) = open_run(&args.run, &DataFlags::default(), &DeviceFlag::default(), args.json)?;
    let observed = directory.metrics_after(checkpoint.step())?;
    let layers = inspect(&checkpoint.state, &checkpoint.wiring()?, checkpoint.is_chain()?, observed.as_ref())?;
    if args.json {
        return say_json(&layers);
    }
    let optional = |value: Option<f64>| value.map_or("-".into(), format_number);
    let count = |value: Option<usize>| value.map_or("-".into(), |value| value.to_string());
    let rows: Vec<Vec<String>> = layers
        .iter()
        .map(|layer| {
            vec![
                layer.layer.to_string(),
                layer.block.clone(),
                layer.extents.iter().map(usize::to_string).collect::<Vec<_>>().join("x"),
                format_number(layer.mean_abs_weight),
                format!("{:.1}%", 100.0 * layer.sparsity),
                format_number(layer.entropy_in),
                format_number(layer.width_in),
                optional(layer.entropy_out),
                optional(layer.width_out),
                optional(layer.entropy_product),
                optional(layer.width_product),
                optional(layer.effective_width),
                layer.linked_in.to_string(),
                count(layer.linked_out),
                count(layer.linked),
                layer.active_units.map_or("-".into(), |units| units.to_string()),
            ]
        })
        .collect();
    let headers = [
        "layer",
        "block",
        "weights",
        "mean |w|",
        "zero",
        "H in",
        "width in",
        "H out",
        "width out",
        "H product",
        "width product",
        "effective width",
        "linked in",
        "linked out",
        "linked",
        "active",
    ];
    say(&table(&headers, &rows));
    Ok(())
}
