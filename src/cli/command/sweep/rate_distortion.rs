//! What a study of networks that code pictures came to, beside what other coders make of the same ones.

use gpu_ae::Result;
use gpu_ae::data::Split;
use gpu_ae::report::{Plot, Series, line_plots, write_png};
use gpu_ae::study::pictures::others::{QUALITIES, jpeg, webp};
use gpu_ae::study::pictures::rate_distortion::{Compared, Measured, measured};
use gpu_ae::study::study_dir::StudyDir;
use gpu_ae::study::sweep::{Outcome, Spread};
use gpu_ae::train::Checkpoint;

use crate::cli::data_flags::DataFlags;
use crate::cli::flags::{DeviceFlag, open_device};
use crate::cli::opened::open_run;
use crate::cli::written::Table;

/// The key that a curve is over.
const PRICE: &str = "rate.beta=";

/// A run of a study.
struct Coded {
    /// Its point without the price of its bits.
    curve: String,
    point: String,
    seed: u64,
    measured: Measured,
    /// Bits a pixel by the tables of its file.
    by_tables: f64,
}

/// Measures every run that ended, and writes a table and a picture of what images cost and how good they come back; whether there
/// was anything to measure. Only networks that code pictures have it.
pub fn draw(directory: &StudyDir, outcomes: &[Outcome], device: &DeviceFlag) -> Result<bool> {
    let mut compared: Option<Compared> = None;
    let mut coded: Vec<Coded> = Vec::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.epochs > 0) {
        let (_, checkpoint) = open_run(&directory.0.join(&outcome.path), &DataFlags::default(), device, true)?;
        if checkpoint.config.coded_pixels().is_none() {
            continue;
        }
        if compared.as_ref().is_none_or(|compared| checkpoint.image().is_ok_and(|image| image != compared.shape)) {
            compared = Compared::of(&checkpoint, &test_rows(&checkpoint)?)?;
        }
        let Some(compared) = &compared else { continue };
        let (measured, by_tables) = measured(open_device(&checkpoint.config.device, true)?, &checkpoint, compared)?;
        let others = outcome.point.split(' ').filter(|part| !part.starts_with(PRICE));
        let curve = others.collect::<Vec<_>>().join(" ");
        let curve = if curve.is_empty() { checkpoint.config.model.clone() } else { curve };
        coded.push(Coded { curve, point: outcome.point.clone(), seed: outcome.seed, measured, by_tables });
    }
    let Some(compared) = compared.filter(|_| !coded.is_empty()) else { return Ok(false) };
    let others = QUALITIES.iter().map(|&quality| Ok((quality, jpeg(&compared.bytes, compared.shape, quality)?)));
    let others = others.collect::<Result<Vec<(u8, Measured)>>>()?;
    let lossless = webp(&compared.bytes, compared.shape)?;
    table(directory, &compared, &coded, &others, lossless)?;
    picture(directory, &compared, &coded, &others, lossless)?;
    Ok(true)
}

fn test_rows(checkpoint: &Checkpoint) -> Result<Split> {
    Ok(checkpoint.config.load_data_as(checkpoint.encoding.as_ref())?.test)
}

/// The numbers, a line a run, a quality of JPEG, and WebP without loss.
fn table(
    directory: &StudyDir,
    compared: &Compared,
    coded: &[Coded],
    others: &[(u8, Measured)],
    lossless: f64,
) -> Result<()> {
    let headings =
        ["coder", "point", "seed", "images", "bits_per_pixel", "bits_per_pixel_by_tables", "psnr", "ms_ssim"];
    let mut table = Table::new(headings)?;
    let images = compared.images().to_string();
    let number = |value: f64| format!("{value:.6}");
    for Coded { point, seed, measured: it, by_tables, .. } in coded {
        let [bits, psnr, likeness] = [it.bits_per_pixel, it.fidelity.psnr(), it.fidelity.ms_ssim].map(number);
        table.push(["network", point, &seed.to_string(), &images, &bits, &number(*by_tables), &psnr, &likeness])?;
    }
    for (quality, it) in others {
        let [bits, psnr, likeness] = [it.bits_per_pixel, it.fidelity.psnr(), it.fidelity.ms_ssim].map(number);
        table.push(["JPEG", &format!("quality={quality}"), "", &images, &bits, "", &psnr, &likeness])?;
    }
    table.push(["WebP", "without loss", "", &images, &number(lossless), "", "", "1"])?;
    table.write(&directory.rate_distortion_table(), "write the rate-distortion table")
}

/// Bits a pixel against both measures, means over seeds, a curve for all that is the same but for the price.
fn picture(
    directory: &StudyDir,
    compared: &Compared,
    coded: &[Coded],
    others: &[(u8, Measured)],
    lossless: f64,
) -> Result<()> {
    let mut names: Vec<&str> = Vec::new();
    for it in coded {
        if !names.contains(&it.curve.as_str()) {
            names.push(&it.curve);
        }
    }
    let curves = |of: fn(&Measured) -> f64| {
        let mut all: Vec<Series> = names.iter().map(|name| curve(name, coded, of)).collect();
        let points = others.iter().map(|(_, it)| (it.bits_per_pixel, of(it))).collect();
        all.push(Series { name: "JPEG, coefficients alone".into(), points });
        all
    };
    let title = format!("{} held-out images: bits of the whole file", compared.images());
    let beside = format!("WebP without loss: {lossless:.2} bits a pixel");
    let plot = |title, y_label, series| Plot { title, x_label: "bits a pixel", y_label, series };
    let plots = [
        plot(title.as_str(), "PSNR in dB", curves(|it| it.fidelity.psnr())),
        plot(beside.as_str(), "MS-SSIM", curves(|it| it.fidelity.ms_ssim)),
    ];
    write_png(&directory.rate_distortion_plot(), &line_plots(&plots)?)
}

/// The points of a curve, from few bits to many.
fn curve(name: &str, coded: &[Coded], of: fn(&Measured) -> f64) -> Series {
    let own: Vec<&Coded> = coded.iter().filter(|it| it.curve == name).collect();
    let mut labels: Vec<&str> = own.iter().map(|it| it.point.as_str()).collect();
    labels.dedup();
    let mean = |label: &str, of: &dyn Fn(&Measured) -> f64| {
        let values: Vec<f64> = own.iter().filter(|it| it.point == label).map(|it| of(&it.measured)).collect();
        Spread::of(&values).map(|spread| spread.mean)
    };
    let point = |label: &str| Some((mean(label, &|it| it.bits_per_pixel)?, mean(label, &of)?));
    let mut points: Vec<(f64, f64)> = labels.into_iter().filter_map(point).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Series { name: name.into(), points }
}
