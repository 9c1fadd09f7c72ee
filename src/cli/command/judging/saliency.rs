//! `gpu-ae saliency`

use std::path::{Path, PathBuf};

use gpu_ae::data::ImageShape;
use gpu_ae::device::wait;
use gpu_ae::report::{Strip, brief, image_sheet, write_png};
use gpu_ae::study::attack::Pixels;
use gpu_ae::study::saliency::{Saliency, Smoothing, half_share};
use gpu_ae::{Error, Result};
use serde::Serialize;

use super::{not_negative, percents};
use crate::cli::bar::Bar;
use crate::cli::flags::{seed, whole};
use crate::cli::output::{say, say_json};
use crate::cli::pictures::colours::{glow, in_colour};
use crate::cli::pictures::picture_name;
use crate::cli::trained::{RunFlags, Trained};
use crate::cli::written::check_outputs;

#[derive(clap::Args)]
#[command(
    after_help = "A map is the gradient of an answer with respect to the image: of each pixel the absolute value, of several channels the largest. \
Of a classifier the answer is the logit of the class that the image is taken for; of any other network, which names none, it is the \
length of the code. The smoothed map is that of the mean gradient over --samples copies under noise of the standard \
deviation --noise, in pixels from black, 0, to white, 1 (SmoothGrad). Each map is drawn from 0, black, over red and yellow to white, \
what only one pixel in a hundred is above.

The picture has the first --rows test images that are named right, below them those that are not, each headed by its class and what it is taken for; \
of a network that names no classes the first ones. Printed is how many of its pixels, the strongest, half of a map lies in: the fewer, the less of \
an image an answer depends on.

Example:
  gpu-ae train --model classifier --out runs/classes
  gpu-ae saliency runs/classes
  gpu-ae saliency runs/NAME --rows 10 --samples 200 --noise 0.1 --out maps.png"
)]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Images of each kind
    #[arg(long, value_name = "N", value_parser = whole(1..=64_usize), default_value = "8", allow_negative_numbers = true)]
    rows: usize,
    /// Standard deviation of the noise
    #[arg(long, value_name = "X", value_parser = not_negative, default_value = "0.15", allow_negative_numbers = true)]
    noise: f64,
    /// Noisy copies of each image
    #[arg(long, value_name = "N", value_parser = whole(1..=100_000_u32), default_value = "50", allow_negative_numbers = true)]
    samples: u32,
    /// Seed of the noise
    #[arg(long, value_name = "N", value_parser = seed, default_value = "0", allow_negative_numbers = true)]
    seed: u64,
    /// Picture [default: RUN/saliency.png]
    #[arg(long, value_name = "FILE", value_parser = picture_name)]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Test rows among which right and wrong ones are looked for.
const LOOKED_AT: usize = 10_000;
/// How many of them are asked for at a time.
const BLOCK: usize = 500;
/// Most characters of a class's name above an image.
const NAME: usize = 12;
/// Pixels of a map that may be above what is drawn white.
const ABOVE: f64 = 0.01;

/// One image.
#[derive(Serialize)]
struct Row {
    row: usize,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_for: Option<String>,
    /// Share of the pixels that half of the map lies in.
    half_in: f64,
    /// The same of the smoothed map.
    half_in_smoothed: f64,
}

#[derive(Serialize)]
struct Shown {
    data: String,
    of: &'static str,
    noise: f64,
    samples: u32,
    /// Means over the rows.
    half_in: f64,
    half_in_smoothed: f64,
    rows: Vec<Row>,
}

pub fn run(args: Args) -> Result<()> {
    let mut trained = args.run.open_any(args.json)?;
    let quiet = args.run.quiet || args.json;
    let image = trained.data.image();
    if image.height == 1 {
        let problem =
            format!("expected images, whose pixels a map can show; these are {}", trained.data.encoding.described());
        return Err(Error::Usage(format!("--data {}: {problem}", trained.data.name)));
    }
    if trained.config.adversarial.is_some() {
        let problem =
            "expected a network that makes answers or codes of images; a generator makes images of random codes";
        return Err(Error::input(&args.run.run, problem));
    }
    let out = args.out.clone().unwrap_or_else(|| trained.directory.path().join("saliency.png"));
    check_outputs(&trained.config, &[], &[("--out", &out)])?;
    let pixels = Pixels::of(&trained.data.encoding)?;

    let groups = groups(&mut trained, args.rows)?;
    let rows: Vec<usize> = groups.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
    let values: Vec<f32> = rows.iter().flat_map(|&row| trained.data.test.values(row..row + 1)).collect();
    let smoothing = Smoothing { noise: args.noise as f32, samples: args.samples, seed: args.seed };
    let bar = Bar::new("differentiating", args.samples.into(), quiet);
    let tell = &mut |done: u32| bar.at(done.into(), &[]);
    let maps = trained.session.saliency(&values, &pixels, image.channels, smoothing, tell)?;
    drop(bar);
    let originals = pixels.of_rows(&values);
    draw(&out, &trained, &groups, &originals, &maps)?;

    let shown = shown(&args, &trained, &rows, &maps);
    if args.json {
        return say_json(&shown);
    }
    let [plain, smoothed] = [shown.half_in, shown.half_in_smoothed].map(percents);
    say(&format!(
        "half of the slope of {} lies in {plain} of the pixels, smoothed in {smoothed}: mean of {} test images of {}",
        shown.of,
        rows.len(),
        shown.data
    ));
    args.run.wrote(&out);
    Ok(())
}

/// The test rows to be shown, by kind: those named right and those that are not, or the first ones.
fn groups(trained: &mut Trained, count: usize) -> Result<Vec<(&'static str, Vec<usize>)>> {
    let test = trained.data.test.first(LOOKED_AT);
    if trained.config.classifier.is_none() {
        return Ok(vec![("image", (0..test.rows.min(count)).collect())]);
    }
    let largest = |row: &[f32]| (1..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best });
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for first in (0..test.rows).step_by(BLOCK) {
        let rows = first..(first + BLOCK).min(test.rows);
        let answers = wait(trained.session.answers_to(&test.values(rows.clone())))?;
        for (row, logits) in rows.clone().zip(answers.chunks_exact((answers.len() / rows.len()).max(1))) {
            let is_right = largest(logits) == usize::from(test.labels[row]);
            let kind = if is_right { &mut right } else { &mut wrong };
            if kind.len() < count {
                kind.push(row);
            }
        }
        if right.len() == count && wrong.len() == count {
            break;
        }
    }
    let mut groups = vec![("named right", right), ("named wrong", wrong)];
    groups.retain(|(_, rows)| !rows.is_empty());
    Ok(groups)
}

/// Images over their maps and their smoothed maps, one kind below the other.
fn draw(
    path: &Path,
    trained: &Trained,
    groups: &[(&'static str, Vec<usize>)],
    originals: &[f32],
    maps: &Saliency,
) -> Result<()> {
    let (image, encoding) = (trained.data.image(), &trained.data.encoding);
    let places = image.height * image.width;
    let name = |class: u16| brief(encoding.class_name(class), NAME).into_owned();
    let (mut strips, mut first) = (Vec::new(), 0);
    for (caption, rows) in groups {
        let range = first..first + rows.len();
        first = range.end;
        let heading = |(at, &row): (usize, &usize)| {
            let class = trained.data.test.labels.get(row).map(|&class| name(class));
            let taken_for = maps.taken_for.as_ref().map(|all| name(all[at]));
            match (class, taken_for) {
                (Some(class), Some(taken_for)) if class != taken_for => format!("{class}: {taken_for}"),
                (class, taken_for) => class.or(taken_for).unwrap_or_default(),
            }
        };
        let pixels = in_colour(&originals[range.start * image.values()..range.end * image.values()], image.channels);
        let headings = range.clone().zip(rows).map(heading).collect();
        strips.push(Strip { caption: caption.to_string(), headings, pixels });
        for (caption, maps) in [("gradient", &maps.plain), ("smoothed", &maps.smoothed)] {
            let pixels =
                maps[range.start * places..range.end * places].chunks_exact(places).flat_map(coloured).collect();
            strips.push(Strip { caption: caption.into(), headings: Vec::new(), pixels });
        }
    }
    let of = if maps.taken_for.is_some() {
        "the logit of the class that each is taken for"
    } else {
        "the length of the code"
    };
    let title =
        format!("Test images of {} and the slope of {of}, pixel by pixel: black 0, white the most", trained.data.name);
    write_png(path, &image_sheet(&title, &strips, ImageShape { channels: 3, ..image }, &[])?)
}

/// A map in colours: white what only a hundredth of its pixels is above.
fn coloured(map: &[f32]) -> Vec<f32> {
    let mut order = map.to_vec();
    order.sort_by(|a, b| b.total_cmp(a));
    let white = order.get((ABOVE * map.len() as f64) as usize).copied().unwrap_or(0.0);
    map.iter().flat_map(|value| glow(if white > 0.0 { (value / white).min(1.0) } else { 0.0 })).collect()
}

fn shown(args: &Args, trained: &Trained, rows: &[usize], maps: &Saliency) -> Shown {
    let (test, encoding) = (&trained.data.test, &trained.data.encoding);
    let places = trained.data.image().height * trained.data.image().width;
    let name = |class: u16| encoding.class_name(class).to_string();
    let of_row = |(at, &row): (usize, &usize)| Row {
        row,
        name: test.name(row).into_owned(),
        class: test.labels.get(row).map(|&class| name(class)),
        taken_for: maps.taken_for.as_ref().map(|all| name(all[at])),
        half_in: half_share(&maps.plain[at * places..][..places]),
        half_in_smoothed: half_share(&maps.smoothed[at * places..][..places]),
    };
    let rows: Vec<Row> = rows.iter().enumerate().map(of_row).collect();
    let mean = |of: fn(&Row) -> f64| rows.iter().map(of).sum::<f64>() / rows.len().max(1) as f64;
    Shown {
        data: trained.data.name.clone(),
        of: if maps.taken_for.is_some() { "the winning logit" } else { "the length of the code" },
        noise: args.noise,
        samples: args.samples,
        half_in: mean(|row| row.half_in),
        half_in_smoothed: mean(|row| row.half_in_smoothed),
        rows,
    }
}
