//! `gpu-ae train --model hopfield`: patterns stored and recalled, nothing trained.

use gpu_ae::config::{HopfieldConfig, RunConfig};
use gpu_ae::data::Dataset;
use gpu_ae::device::Device;
use gpu_ae::nn::hopfield::{Rule, Update};
use gpu_ae::report::{Band, format_number, image_grid, write_png};
use gpu_ae::study::hopfield::{Recall, study};
use gpu_ae::train::RunDir;
use gpu_ae::{Error, Result, whole_file};

use super::output::{complain, say_json, tell};
use super::terminal::table;

/// Images side by side in the picture.
const COLUMNS: usize = 12;
/// Images in it.
const IMAGES: usize = 24;

fn name(rule: Rule) -> &'static str {
    match rule {
        Rule::Projection => "projection",
        Rule::Hebbian => "Hebbian",
    }
}

fn row(recall: &Recall) -> Vec<String> {
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    vec![
        name(recall.rule).into(),
        format!("{}", recall.load),
        recall.patterns.to_string(),
        percent(f64::from(recall.flips)),
        percent(recall.exact),
        percent(recall.near),
        format!("{:.3}", recall.overlap_before),
        format!("{:.3}", recall.overlap_after),
        format_number(recall.steps),
        percent(recall.at_rest),
    ]
}

/// Stores and recalls on the device, into this run directory.
pub fn run(
    config: &RunConfig,
    settings: &HopfieldConfig,
    data: &Dataset,
    device: &mut dyn Device,
    directory: &RunDir,
    [quiet, json]: [bool; 2],
) -> Result<()> {
    let neurons = data.train.width;
    if !quiet {
        let order = if settings.update == Update::Synchronous { "all at once" } else { "one after the other" };
        complain(&format!("hopfield: {neurons} neurons, updated {order}, on {} with {}", data.name, device.name()));
    }
    let mut recalls: Vec<Recall> = Vec::new();
    let picture = study(device, settings, data, config.seed, |recall| {
        let line = serde_json::to_string(recall).map_err(|error| Error::Failed(error.to_string()))?;
        whole_file::append(&directory.metrics(), format!("{line}\n").as_bytes(), "write the metrics")?;
        recalls.push(recall.clone());
        Ok(())
    })?;
    let shown = |pixels: &[f32]| pixels[..pixels.len().min(IMAGES * neurons)].to_vec();
    let mut rows = vec![("stored", shown(&picture.stored)), ("shown", shown(&picture.flipped))];
    rows.extend(picture.recalled.iter().map(|(rule, pixels)| (name(*rule), shown(pixels))));
    let bands: Vec<Band<'_>> = rows.iter().map(|(caption, pixels)| Band { caption, pixels }).collect();
    let file = directory.path().join("retrieval.png");
    let title = format!("Patterns of {}, the same with pixels flipped, and what each rule recalls of that", data.name);
    // First, since with it there is a run: a kill before it leaves what counts as an empty folder.
    directory.write_config(config)?;
    directory.keep();
    write_png(&file, &image_grid(&title, &bands, data.image(), COLUMNS)?)?;
    if json {
        return say_json(&recalls);
    }
    if !quiet {
        let headers =
            ["rule", "load", "patterns", "flipped", "exact", "near", "overlap before", "after", "steps", "at rest"];
        let rows: Vec<Vec<String>> = recalls.iter().map(row).collect();
        tell(&table(&headers, &rows));
        tell(&format!("run directory: {}", directory.path().display()));
        tell(&format!("picture:       {}: stored, as shown, and what each rule recalls", file.display()));
    }
    Ok(())
}
