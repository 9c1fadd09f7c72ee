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
    after_help = "Columns: H is the Shannon entropy in nats of the neurons' activeness (sums of absolute weights \
in, out, and the product of both), width is exp(H), the number of neurons that effectively take part; active counts \
neurons whose sum is over a thousandth of the layer's largest, in, out and both. Width by paths is exp of the entropy of the \
neurons' shares of all paths from the inputs to the outputs. Only the product and the paths cannot be changed by rescaling \
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
    let (_, checkpoint) = open_run(&args.run, &DataFlags::default(), &DeviceFlag::default(), args.json)?;
    let layers = inspect(&checkpoint.state, &checkpoint.layer_names("inspect")?)?;
    if args.json {
        return say_json(&layers);
    }
    let optional = |value: Option<f64>| value.map_or("-".into(), format_number);
    let rows: Vec<Vec<String>> = layers
        .iter()
        .map(|layer| {
            vec![
                layer.layer.to_string(),
                format!("{}x{}", layer.outputs, layer.inputs),
                format_number(layer.mean_abs_weight),
                format!("{:.1}%", 100.0 * layer.sparsity),
                format_number(layer.entropy_in),
                format_number(layer.effective_width_in),
                optional(layer.entropy_out),
                optional(layer.effective_width_out),
                optional(layer.entropy_product),
                optional(layer.effective_width),
                format_number(layer.path_width),
                layer.active_in.to_string(),
                layer.active_out.map_or("-".into(), |active| active.to_string()),
                layer.active.map_or("-".into(), |active| active.to_string()),
            ]
        })
        .collect();
    let headers = [
        "layer",
        "weights",
        "mean |w|",
        "zero",
        "H in",
        "width in",
        "H out",
        "width out",
        "H product",
        "width",
        "width by paths",
        "active",
    ];
    say(&table(&headers, &rows));
    Ok(())
}
