//! How cost grows: samples a second and memory of whole runs over batch, width, depth and number of rows, as tables and pictures.
//!
//!     cargo bench --bench growth -- [--device cpu] [--out FOLDER] [--most ROWS] [batch|width|depth|rows]…
//!
//! Pictures go to target/growth if nothing is said; `--most` leaves out what takes more training rows. `docs/performance.md`
//! explains the knees.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "../support/machine.rs"]
mod machine;
#[path = "../support/made.rs"]
mod made;
mod point;
#[path = "../support/program.rs"]
mod program;

use std::path::PathBuf;
use std::process::ExitCode;

use gpu_ae::report::plot::{Plot, Series, line_plots};
use point::{Point, points};
use program::Ran;

/// What may grow, and what it is called on an axis.
const AXES: [(&str, &str); 4] = [
    ("batch", "batch, as a power of 2"),
    ("width", "width of the hidden layer, as a power of 2"),
    ("depth", "hidden layers, as a power of 2"),
    ("rows", "training rows, as a power of 2"),
];

struct Asked {
    device: String,
    out: PathBuf,
    most: u32,
    axes: Vec<String>,
}

fn asked(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("growth");
    let mut asked = Asked { device: "cpu".into(), out, most: u32::MAX, axes: Vec::new() };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument}: expected a value behind it"));
        match argument.as_str() {
            // What cargo says to every benchmark.
            "--bench" => {}
            "--device" => asked.device = value()?,
            "--out" => asked.out = value()?.into(),
            "--most" => {
                let text = value()?;
                asked.most = text.parse().map_err(|_| format!("--most {text}: expected a number of rows"))?;
            }
            axis if AXES.iter().any(|(name, _)| *name == axis) => asked.axes.push(axis.into()),
            other => {
                return Err(format!(
                    "{other}: expected --device NAME, --out FOLDER, --most ROWS, batch, width, depth or rows"
                ));
            }
        }
    }
    Ok(asked)
}

/// Measures what grows along one axis, and draws it.
fn measure(axis: (&str, &str), asked: &Asked) -> Result<(), String> {
    let (axis, label) = axis;
    println!("\n| {axis} | samples/s | peak memory |\n|---|---|---|");
    let mut measured: Vec<(f64, Ran)> = Vec::new();
    for point in points(axis).into_iter().filter(|point| point.rows <= asked.most) {
        let Point { at, .. } = point;
        match point.ran(&asked.device) {
            Ok(ran) => {
                let memory = ran.peak_mib.map_or("not told".into(), |mib| format!("{mib:.0} MiB"));
                println!("| {at} | {:.0} | {memory} |", ran.samples_per_second);
                measured.push((f64::from(at).log2(), ran));
            }
            Err(complaint) => println!("| {at} | {complaint} | |"),
        }
    }
    let curve = |of: fn(&Ran) -> Option<f64>| {
        let points = measured.iter().filter_map(|(at, ran)| Some((*at, of(ran)?))).collect();
        vec![Series { name: String::new(), points }]
    };
    let mut plots = vec![Plot {
        title: "speed",
        x_label: label,
        y_label: "samples/s",
        series: curve(|ran| Some(ran.samples_per_second)),
    }];
    if measured.iter().any(|(_, ran)| ran.peak_mib.is_some()) {
        plots.push(Plot { title: "memory", x_label: label, y_label: "MiB", series: curve(|ran| ran.peak_mib) });
    }
    let file = asked.out.join(format!("growth-{axis}.png"));
    let picture = line_plots(&plots).map_err(|error| format!("{axis}: {error}"))?;
    picture.save(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    eprintln!("wrote {}", file.display());
    Ok(())
}

fn run() -> Result<(), String> {
    let asked = asked(std::env::args().skip(1))?;
    std::fs::create_dir_all(&asked.out).map_err(|error| format!("{}: {error}", asked.out.display()))?;
    let load = machine::beside(machine::wait_for_quiet());
    println!("{}; device {}{load}", machine::told(), asked.device);
    let wanted = |(name, _): &(&str, &str)| asked.axes.is_empty() || asked.axes.iter().any(|axis| axis == name);
    AXES.into_iter().filter(wanted).try_for_each(|axis| measure(axis, &asked))
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            eprintln!("growth: {complaint}");
            ExitCode::from(2)
        }
    }
}
