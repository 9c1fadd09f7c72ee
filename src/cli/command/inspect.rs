//! `gpu-ae inspect`

use std::path::PathBuf;

use gpu_ae::data::Dataset;
use gpu_ae::model::part::Part;
use gpu_ae::report::{format_number, write_png};
use gpu_ae::study::inspect::{LayerReport, inspect};
use gpu_ae::study::lone_part::LonePart;
use gpu_ae::study::spectra::{CodeReport, Ranks};
use gpu_ae::train::{Checkpoint, Tuning};
use gpu_ae::{Error, Result};
use serde::Serialize;

use crate::cli::flags::{DataFlags, DeviceFlag, check_width, open_device, open_run, session_on};
use crate::cli::output::{say, say_json};
use crate::cli::pictures::maps::coded_picture;
use crate::cli::pictures::picture_name;
use crate::cli::terminal::table;
use crate::cli::written::check_outputs;

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
a ReLU neuron.

Below the table stand the singular values s of the last layer's weights, unless it has more than 1024 inputs and outputs, and three counts of \
how many of them matter: the effective rank exp of the entropy of s / sum of s, the stable rank sum of s^2 / largest s^2, and the participation ratio \
(sum of s^2)^2 / sum of s^4. With --codes also what the codes of the first thousand test rows use of their width: the mean number of entries that are not 0, which says something \
where codes are rounded or come of a ReLU, how many entries are the same for all rows, and the effective rank of their covariance; where maps of images are coded, a picture of them, weak to strong.

Examples:
  gpu-ae inspect runs/NAME
  gpu-ae inspect runs/NAME --codes --data more-photos"
)]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// Encode test rows too, and say what their codes use
    #[arg(long)]
    codes: bool,
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    device: DeviceFlag,
    /// With --codes, picture of the maps that are coded, if they are maps [default: RUN/coded_maps.png]
    #[arg(long, value_name = "FILE", value_parser = picture_name, requires = "codes")]
    out: Option<PathBuf>,
    /// Print one JSON array; with --codes one object with layers and codes
    #[arg(long)]
    json: bool,
}

/// Singular values that are printed.
const SHOWN: usize = 12;
/// Test rows whose codes are looked at.
const ROWS: usize = 1000;
/// Of these, images whose maps are drawn.
const DRAWN: usize = 8;

#[derive(Serialize)]
struct Inspected<'a> {
    layers: &'a [LayerReport],
    codes: CodeReport,
}

/// What the codes of the first test rows use.
fn codes(args: &Args, checkpoint: &Checkpoint) -> Result<CodeReport> {
    if checkpoint.config.adversarial.is_some() {
        let problem = "--codes: expected a network that makes codes of rows; a generator makes rows of random codes";
        return Err(Error::input(&args.run, problem));
    }
    let data = checkpoint.config.load_data_as(checkpoint.encoding.as_ref())?;
    check_width(checkpoint, &data)?;
    let device = open_device(&checkpoint.config.device, args.json)?;
    let choices = Tuning::or_static(checkpoint.tuning.as_ref(), device.as_ref());
    let mut encoder = LonePart::open(device, checkpoint, &choices, Part::Encode)?;
    let [_, width] = encoder.widths();
    let report = CodeReport::of(&encoder.run_split(&data.test.first(ROWS))?, width);
    drop(encoder);
    draw(args, checkpoint, &data)?;
    Ok(report)
}

/// Draws the maps of a network that codes maps of images.
fn draw(args: &Args, checkpoint: &Checkpoint, data: &Dataset) -> Result<()> {
    let image = data.image();
    let out = args.out.clone().unwrap_or_else(|| args.run.join("coded_maps.png"));
    check_outputs(&checkpoint.config, &[], &[("--out", &out)])?;
    let mut maps = None;
    let originals = data.test.values(0..DRAWN.min(data.test.rows));
    if checkpoint.config.rate.is_some() && image.height > 1 && matches!(image.channels, 1 | 3) {
        maps = session_on(checkpoint, data, true)?.coded_maps(&originals)?;
    }
    match maps {
        Some(maps) => write_png(&out, &coded_picture(&maps, data, &originals)?)?,
        None if args.out.is_some() => {
            let problem =
                "expected a run with [rate] on images that codes maps, as with rate.layer; this one has none to draw";
            return Err(Error::Usage(format!("--out {}: {problem}", out.display())));
        }
        None => return Ok(()),
    }
    if !args.json {
        say(&format!("wrote {}", out.display()));
    }
    Ok(())
}

/// Refuses flags of rows that are not read.
fn check_used(args: &Args) -> Result<()> {
    let data = args.data.data.as_ref().map(|_| "--data").or(args.data.data_dir.as_ref().map(|_| "--data-dir"));
    let device = args.device.device.as_ref().map(|_| "--device");
    let given = data.or(args.data.reading.given().first().copied()).or(device).filter(|_| !args.codes);
    given.map_or(Ok(()), |flag| Err(Error::Usage(format!("{flag}: has no effect without --codes, which reads rows"))))
}

pub fn run(args: Args) -> Result<()> {
    check_used(&args)?;
    let (directory, checkpoint) = open_run(&args.run, &args.data, &args.device, args.json)?;
    let observed = directory.metrics_after(checkpoint.step())?;
    let layers = inspect(&checkpoint.state, &checkpoint.wiring()?, checkpoint.is_chain()?, observed.as_ref())?;
    let codes = if args.codes { Some(codes(&args, &checkpoint)?) } else { None };
    match codes {
        Some(codes) if args.json => return say_json(&Inspected { layers: &layers, codes }),
        None if args.json => return say_json(&layers),
        _ => (),
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
    if let Some(ranks) = layers.last().and_then(|layer| layer.ranks.as_ref()) {
        say(&told(ranks));
    }
    if let Some(CodeReport { rows, width, non_zeros, constant, effective_rank }) = codes {
        let [non_zeros, rank] = [non_zeros, effective_rank].map(format_number);
        say(&format!(
            "codes of {rows} test rows: {non_zeros} of {width} entries are not 0, {constant} are the same for all rows, effective rank {rank}"
        ));
    }
    Ok(())
}

/// The singular values of the last layer in two lines.
fn told(ranks: &Ranks) -> String {
    let Ranks { singular_values, effective_rank, stable_rank, participation_ratio } = ranks;
    let shown: Vec<String> = singular_values.iter().take(SHOWN).map(|value| format_number(*value)).collect();
    let more = singular_values.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} smaller ones") } else { String::new() };
    let [effective, stable, participation] = [*effective_rank, *stable_rank, *participation_ratio].map(format_number);
    format!(
        "last layer: effective rank {effective}, stable rank {stable}, participation ratio {participation}\nits singular values: {}{more}",
        shown.join(" ")
    )
}
