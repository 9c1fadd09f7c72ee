//! The pictures of a run directory.

mod augmented;
pub mod codes;
pub mod colours;
mod features;
pub mod maps;
pub mod mistakes;
pub mod page;
pub mod table;

use std::path::{Path, PathBuf};

use ::image::RgbImage;
use gpu_ae::config::RunConfig;
use gpu_ae::data::{Dataset, Encoding, ImageShape};
use gpu_ae::device::wait;
use gpu_ae::nn::Pass;
use gpu_ae::report::{
    Band, Curves, Losses, Matrix, Series, check_png, image_grid, loss_plot, reconstruction_grid, weight_picture,
    width_plot, write_png,
};
use gpu_ae::rng::{Rng, Stream, stream_key};
use gpu_ae::study::codes::Reconstructions;
use gpu_ae::train::record::metrics::{weight_key, weights_move};
use gpu_ae::train::{EpochMetrics, Observation, Run, RunDir};
use gpu_ae::{Error, Result, whole_file};

/// Rows, columns and elements of a layer's weights.
type Weights = (usize, usize, Vec<f32>);

/// Images side by side in a grid.
pub const COLUMNS: usize = 16;
/// Images that are drawn from a generator.
const GENERATED: usize = 128;
/// Test images in the picture of a run.
const IMAGES: usize = 32;
/// Test rows of a table that its columns are judged by.
const ROWS: usize = 10_000;

/// Draws everything that a run directory promises; the names of the files.
pub fn draw(run: &mut Run, directory: &RunDir, data: &Dataset) -> Result<Vec<String>> {
    let image = run.session().image();
    let observation = wait(run.session().observe())?;
    let mut pictures = Vec::new();
    if run.config().classifier.is_some() {
        let answers = wait(run.session().reconstruct(data.test.rows))?;
        pictures.extend(mistakes::picture(data, &answers)?.map(|picture| (directory.mistakes(), picture)));
    } else if let (Some(columns), true) = (&data.encoding.columns, run.config().reconstructs()) {
        let rows = wait(run.session().reconstruct(ROWS))?;
        pictures.push((directory.reconstructions(), table::errors(columns, &rows, &data.name)?));
        let correlations = table::correlations(columns, &rows, &data.name)?;
        pictures.extend(correlations.map(|picture| (directory.columns(), picture)));
    } else if run.config().adversarial.is_some() {
        pictures.extend(generated(run, data)?.map(|picture| (directory.generated(), picture)));
    } else if run.config().reconstructs() {
        pictures.push((directory.reconstructions(), reconstructions(run, &observation, data)?));
    }
    pictures.extend(augmented::picture(run, data)?.map(|picture| (directory.augmented(), picture)));
    let weights = wait(run.session().matrices())?;
    let features = features::picture(run.config(), &weights, &observation, image)?;
    pictures.extend(features.map(|picture| (directory.features(), picture)));
    pictures.extend(maps::picture(run, data)?.map(|picture| (directory.feature_maps(), picture)));
    let title = "Weights of every layer, colours relative to the largest of each";
    pictures.push((directory.weights_picture(), weight_picture(title, &matrices(&weights, image))?));
    if run.config().adversarial.is_none() {
        pictures.extend(codes::picture(&observation, data)?.map(|picture| (directory.codes_plot(), picture)));
    }
    if !run.metrics().is_empty() {
        pictures.push((directory.loss_plot(), loss_plot(&losses(run.config(), run.metrics()))?));
    }
    let effective = by_layer(run.metrics(), EpochMetrics::effective_width);
    let active = by_layer(run.metrics(), EpochMetrics::active_units);
    if !active.is_empty() {
        pictures.push((directory.widths_plot(), width_plot(&effective, &active)?));
    }
    for (path, picture) in &pictures {
        leave(run, path, picture)?;
    }
    let name = |(path, _): (PathBuf, RgbImage)| path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(pictures.into_iter().filter_map(name).collect())
}

/// Writes a picture of a run, and tells TensorBoard of it if that listens.
pub fn leave(run: &Run, path: &Path, picture: &RgbImage) -> Result<()> {
    write_png(path, picture)?;
    let Some(events) = run.events() else { return Ok(()) };
    let step = run.metrics().last().map_or(0, |metrics| metrics.step);
    let tag = path.file_stem().unwrap_or_default().to_string_lossy();
    let bytes = whole_file::read(path).map_err(Error::io(path, "read"))?;
    events.picture(step, &format!("pictures/{tag}"), picture.dimensions().into(), bytes)
}

/// So many codes that nobody encoded, the same for every run of a seed.
pub fn random_codes(config: &RunConfig, count: usize) -> Vec<f32> {
    let mut rng = Rng::new(stream_key(config.seed, Stream::Generate));
    (0..count * config.code_width()).map(|_| rng.normal() as f32).collect()
}

/// Images that a generator makes of random codes, the same for every run of a seed; nothing of rows that are no images.
fn generated(run: &mut Run, data: &Dataset) -> Result<Option<RgbImage>> {
    let codes = random_codes(run.config(), GENERATED);
    let made = wait(run.session().decode(&codes))?;
    if data.encoding.columns.is_some() || data.image().height == 1 {
        return Ok(None);
    }
    let title = format!("{GENERATED} images that nobody drew, of {}", data.name);
    let bands = [Band { caption: "", pixels: &data.encoding.shown(&made) }];
    image_grid(&title, &bands, data.image(), COLUMNS).map(Some)
}

/// The first test rows and what the network makes of them; of rows that are no images, the codes between them.
fn reconstructions(run: &mut Run, observation: &Observation, data: &Dataset) -> Result<RgbImage> {
    let images = wait(run.session().reconstruct(IMAGES))?;
    let image = data.image();
    let rows = images.originals.len() / image.values().max(1);
    if image.height > 1 || observation.rows.len() != rows {
        return reconstruction_picture(&images, &data.encoding, &data.name);
    }
    row_picture(&images, Some(&observation.codes), rows, &data.name)
}

/// Reads the name of a picture for the command line.
pub fn picture_name(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    check_png(&path).map(|()| path).map_err(|error| error.to_string())
}

/// Images of this data, the same under noise if there is any, and what the network makes of them; rows that are no
/// images as matrices, and of those of a table the error of each column.
pub fn reconstruction_picture(images: &Reconstructions, encoding: &Encoding, data: &str) -> Result<RgbImage> {
    if let Some(columns) = &encoding.columns {
        return table::errors(columns, images, data);
    }
    let image = encoding.image;
    let rows = images.originals.len() / image.values().max(1);
    if image.height == 1 {
        return row_picture(images, None, rows, data);
    }
    let what = match rows {
        1 => format!("A test image of {data} over its reconstruction"),
        rows => format!("{rows} test images of {data} over their reconstructions"),
    };
    let shown = |values: &Vec<f32>| encoding.shown(values);
    let [originals, outputs] = [&images.originals, &images.outputs].map(shown);
    let noisy = images.noisy.as_ref().map(shown);
    reconstruction_grid(&what, &originals, noisy.as_deref(), &outputs, image, COLUMNS)
}

/// Rows beside what the network makes of them.
fn row_picture(images: &Reconstructions, codes: Option<&[f32]>, rows: usize, data: &str) -> Result<RgbImage> {
    let matrix = |title: &str, values: &[f32]| Matrix {
        title: title.into(),
        rows,
        columns: values.len() / rows.max(1),
        values: values.to_vec(),
    };
    let noisy = images.noisy.as_ref().map(|values| matrix("with noise", values));
    let codes = codes.map(|values| matrix("hidden codes", values));
    let (patterns, outputs) = (matrix("patterns", &images.originals), matrix("reconstructions", &images.outputs));
    let matrices: Vec<Matrix> = [patterns].into_iter().chain(noisy).chain(codes).chain([outputs]).collect();
    weight_picture(&format!("Test rows of {data}, one below the other, and their reconstructions"), &matrices)
}

/// What a run has measured of its loss: its terms, what follows from them, and their weights where those move.
fn losses(config: &RunConfig, metrics: &[EpochMetrics]) -> Losses {
    let curve = |key: String| -> Vec<(f64, f64)> {
        metrics.iter().filter_map(|m| Some((f64::from(m.epoch), m.get(&key)?))).collect()
    };
    let named = |term: &str, title: String| Curves {
        title,
        train: curve(format!("train_{term}")),
        validation: curve(format!("validation_{term}")),
        test: curve(format!("test_{term}")),
    };
    let terms = config.terms(Pass::Train).into_iter().map(|(name, _)| name);
    let derived = config.derived().into_iter().map(|derived| derived.name);
    let moving = config.moving_terms().into_iter();
    Losses {
        terms: terms.chain(derived).map(|name| named(name, title(name))).collect(),
        total: named("loss", "Total loss".into()),
        weights: moving.map(|term| (format!("Weight of the {}", term_words(term)), curve(weight_key(term)))).collect(),
        moving: weights_move(config, metrics),
    }
}

/// A term's name in words.
fn term_words(term: &str) -> String {
    match term {
        // Initials.
        "mse" | "nll" | "kl" | "elbo" => term.to_uppercase(),
        term => term.replace('_', " "),
    }
}

/// A term's name as a title.
fn title(term: &str) -> String {
    if term == "mse" {
        return "Reconstruction error (MSE)".into();
    }
    let words = term_words(term);
    words[..1].to_uppercase() + &words[1..]
}

/// The weights of all layers of a network for these images, as they are shown.
fn matrices(weights: &[Weights], image: ImageShape) -> Vec<Matrix> {
    let numbered = (1..).zip(weights);
    numbered.map(|(number, (rows, columns, values))| Matrix::of_layer(number, *rows, *columns, values, image)).collect()
}

/// A figure of every hidden layer over epochs.
fn by_layer(metrics: &[EpochMetrics], figure: fn(&EpochMetrics, usize) -> Option<f64>) -> Vec<Series> {
    let points = |layer: usize| metrics.iter().filter_map(move |m| Some((f64::from(m.epoch), figure(m, layer)?)));
    let layers = (1..).take_while(|&layer| points(layer).next().is_some());
    layers.map(|layer| Series { name: format!("layer {layer}"), points: points(layer).collect() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The panels of `loss.png` are the terms of a model and what follows from them, by name.
    #[test]
    fn a_model_s_losses_are_its_own() -> Result<()> {
        let titles = |config: &RunConfig| -> Vec<String> {
            let Losses { terms, weights, .. } = losses(config, &[]);
            terms.into_iter().map(|term| term.title).chain(weights.into_iter().map(|(title, _)| title)).collect()
        };
        let model = |name: &str| RunConfig::model(name).map(|config| titles(&config));
        let error = "Reconstruction error (MSE)";
        assert_eq!(model("vae")?, [error, "NLL", "KL", "ELBO"]);
        assert_eq!(model("classifier")?, ["Cross entropy", "Error rate", "Brier"]);
        assert_eq!(model("rbm")?, [error, "Free energy difference"]);
        assert_eq!(model("wae")?, [error, "Wasserstein"]);
        assert_eq!(titles(&RunConfig::recipe("plain")?), [error]);
        assert_eq!(titles(&RunConfig::recipe("bottleneck")?), [error, "Entropy", "Weight of the entropy"]);
        Ok(())
    }
}
