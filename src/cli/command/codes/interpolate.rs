//! `gpu-ae interpolate`

use std::path::{Path, PathBuf};

use gpu_ae::Result;
use gpu_ae::device::wait;
use gpu_ae::report::{Strip, brief, image_sheet, write_png};

use crate::cli::flags::whole;
use crate::cli::trained::{RunFlags, Trained, class_of, pair, pair_of_classes};

use super::rows::{out_name, out_path, write_rows};

/// Most characters of a class's name beside a line.
const NAME: usize = 14;

#[derive(clap::Args)]
#[command(
    after_help = "Without --between and --classes, the lines lead from test images of each class to some of another. \
The originals stand at both ends, beside their reconstructions.

Example:
  gpu-ae interpolate runs/NAME --between 3,8 --steps 12 --out from-3-to-8.png"
)]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Numbers of two test rows, the first 0; may be repeated
    #[arg(long, value_name = "I,J", value_parser = pair::<usize>)]
    between: Vec<(usize, usize)>,
    /// Two classes, from the mean code of one to that of the other, a name with a comma in double quotes; may be repeated
    #[arg(long, value_name = "A,B", value_parser = pair_of_classes, conflicts_with = "between")]
    classes: Vec<(String, String)>,
    /// Images of a line, or rows of a table, both ends included
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole(2..=100u32),
        allow_negative_numbers = true)]
    steps: u32,
    /// Picture to write, of a table a .csv file in its own units and words [default: RUN/interpolation.png or .csv]
    #[arg(long, value_name = "FILE", value_parser = out_name)]
    out: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<()> {
    let mut trained = args.run.open(false)?;
    let path = out_path(args.out.as_deref(), &trained, "interpolation")?;
    let steps = args.steps as usize;
    let mut strips = Vec::new();
    let (gaps, headings) = if args.classes.is_empty() {
        let pairs = if args.between.is_empty() { different(&trained) } else { args.between };
        for (from, to) in pairs {
            strips.push(between_rows(&mut trained, (from, to), steps)?);
        }
        (vec![1, steps + 1], true)
    } else {
        let test = trained.data.test.clone();
        let codes = trained.codes(&test)?;
        for (from, to) in args.classes {
            let ends = [&from, &to].map(|class| {
                let class = class_of("--classes", class, &trained.data)?;
                Ok(mean_code(&codes, trained.config.code_width(), &test.labels, class))
            });
            let [from_code, to_code] = ends;
            let pixels = wait(trained.session.decode(&line(&from_code?, &to_code?, steps)))?;
            let caption = format!("class {} to {}", brief(&from, NAME), brief(&to, NAME));
            strips.push(Strip { caption, headings: Vec::new(), pixels });
        }
        (Vec::new(), false)
    };
    if trained.data.encoding.is_table() {
        return write_lines(&args.run, &path, &trained, &strips, headings);
    }
    strips.iter_mut().for_each(|strip| strip.pixels = trained.data.encoding.shown(&strip.pixels));
    if let (Some(first), true) = (strips.first_mut(), headings) {
        first.headings = vec![String::new(); steps + 2];
        first.headings[0] = "original".into();
        first.headings[steps + 1] = "original".into();
    }
    let title = if headings {
        "From one test image to another: what the network makes of the line between their codes"
    } else {
        "From one class to another: what the network makes of the line between their mean codes"
    };
    write_png(&path, &image_sheet(title, &strips, trained.data.image(), &gaps)?)?;
    args.run.wrote(&path);
    Ok(())
}

/// Lines between rows of a table, one below the other; `originals` are at both ends of each if there are any.
fn write_lines(run: &RunFlags, path: &Path, trained: &Trained, strips: &[Strip], originals: bool) -> Result<()> {
    let Some(columns) = &trained.data.encoding.columns else { return Ok(()) };
    let (mut lines, mut steps, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for strip in strips {
        let count = strip.pixels.len() / columns.width().max(1);
        for row in 0..count {
            lines.push(strip.caption.clone());
            steps.push(match (originals, row == 0 || row + 1 == count) {
                (true, true) => "original".to_string(),
                (true, false) => row.to_string(),
                (false, _) => (row + 1).to_string(),
            });
        }
        values.extend_from_slice(&strip.pixels);
    }
    write_rows(run, path, columns, &[("line", &lines), ("step", &steps)], &values)
}

/// The originals at both ends, between them what the network makes of the line from one code to the other.
fn between_rows(trained: &mut Trained, (from, to): (usize, usize), steps: usize) -> Result<Strip> {
    let [first, last] = [trained.test_row("--between", from)?, trained.test_row("--between", to)?];
    let [a, b] = [wait(trained.session.encode(&first))?, wait(trained.session.encode(&last))?];
    let between = wait(trained.session.decode(&line(&a, &b, steps)))?;
    Ok(Strip { caption: format!("rows {from}, {to}"), headings: Vec::new(), pixels: [first, between, last].concat() })
}

/// `steps` codes evenly spaced on the line from one to another, both included.
fn line(from: &[f32], to: &[f32], steps: usize) -> Vec<f32> {
    let at = |step: usize| {
        let t = step as f32 / (steps - 1) as f32;
        from.iter().zip(to).map(move |(a, b)| (1.0 - t) * a + t * b)
    };
    (0..steps).flat_map(at).collect()
}

/// For each of up to ten classes, its first test row and a row of the class a third of the way round; of data of one
/// class, rows that follow one another.
fn different(trained: &Trained) -> Vec<(usize, usize)> {
    const LINES: usize = 10;
    let (test, classes) = (&trained.data.test, trained.data.test.classes());
    if classes.len() < 2 {
        return (0..LINES.min(test.rows / 2)).map(|line| (2 * line, 2 * line + 1)).collect();
    }
    // Another row of a class than the one its own line begins at, if there is one.
    let row = |class: u16, skip: usize| {
        let mut rows = test.labels.iter().enumerate().filter(|(_, label)| **label == class).map(|(row, _)| row);
        rows.clone().nth(skip).or_else(|| rows.next()).unwrap_or_default()
    };
    let other = |index: usize| classes[(index + classes.len().div_ceil(3)) % classes.len()];
    classes.iter().take(LINES).enumerate().map(|(index, &class)| (row(class, 0), row(other(index), 1))).collect()
}

/// Mean of the codes of a class.
fn mean_code(codes: &[f32], width: usize, labels: &[u16], class: u16) -> Vec<f32> {
    let rows = || codes.chunks_exact(width).zip(labels).filter(|(_, label)| **label == class).map(|(code, _)| code);
    let count = rows().count() as f64;
    (0..width).map(|i| (rows().map(|code| f64::from(code[i])).sum::<f64>() / count) as f32).collect()
}
