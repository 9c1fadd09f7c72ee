//! What a network does, for the eye: reconstructions, features, codes, clusters, one row, and what is lost without a unit.

use gpu_ae::nn::BlockConfig;
use gpu_ae::statistics::principal::principal_axes;
use gpu_ae::{Error, Result};
use wasm_bindgen::JsValue;

use crate::summary;
use crate::training::Training;
use crate::values::{counts, features, floats, list, object, shown, words};

/// Test rows whose reconstructions are shown.
const ROWS: usize = 10;
/// Rows of a cluster that are shown.
const MEMBERS: usize = 8;
/// Most features that are shown.
const FEATURES: usize = 128;

/// Everything that is drawn behind an epoch.
pub async fn pictures(training: &mut Training) -> Result<JsValue> {
    training.check()?;
    training.session.show_means().await?;
    let drawn = drawn(training).await;
    training.session.learn_on()?;
    drawn
}

async fn drawn(training: &mut Training) -> Result<JsValue> {
    if training.observation.is_none() {
        training.observation = Some(training.session.observe().await?);
    }
    let is_cluster = training.config.clustering.is_some();
    let rebuilt = if is_cluster { JsValue::NULL } else { reconstructions(training).await? };
    let features = weights(training).await?;
    let clusters = if is_cluster { clusters(training).await? } else { JsValue::NULL };
    let codes = if is_cluster { JsValue::NULL } else { plane(training) };
    Ok(object(&[("reconstructions", rebuilt), ("features", features), ("codes", codes), ("clusters", clusters)]))
}

/// The first test rows and what becomes of them.
async fn reconstructions(training: &mut Training) -> Result<JsValue> {
    let made = training.session.reconstruct(ROWS).await?;
    let rows = made.outputs.len() / features(&training.session).max(1);
    Ok(object(&[
        ("rows", (rows as u32).into()),
        ("originals", shown(training, &made.originals)),
        ("made", shown(training, &made.outputs)),
    ]))
}

/// The weights of the first layer as images, where they are such.
async fn weights(training: &mut Training) -> Result<JsValue> {
    let image = training.data.image();
    let matrices = training.session.matrices().await?;
    let Some((count, width, values)) = matrices.first() else { return Ok(JsValue::NULL) };
    let first = training.config.encoder.iter().find_map(|block| match block {
        BlockConfig::Conv(conv) => Some(conv.kernel.0),
        _ => None,
    });
    let [height, across, channels] = match first {
        Some(kernel) if kernel[0] * kernel[1] > 0 && width % (kernel[0] * kernel[1]) == 0 => {
            [kernel[0], kernel[1], width / (kernel[0] * kernel[1])]
        }
        _ if *width == image.values() => [image.height, image.width, image.channels],
        _ => return Ok(JsValue::NULL),
    };
    let count = (*count).min(FEATURES);
    Ok(object(&[
        ("count", (count as u32).into()),
        ("height", (height as u32).into()),
        ("width", (across as u32).into()),
        ("channels", (channels as u32).into()),
        ("values", floats(&values[..count * width])),
        ("signed", true.into()),
    ]))
}

/// The codes of the rows that were looked at, on the plane in which they differ most.
fn plane(training: &Training) -> JsValue {
    let Some(observation) = &training.observation else { return JsValue::NULL };
    let (rows, width) = (observation.rows.len(), observation.codes.len() / observation.rows.len().max(1));
    if width == 0 {
        return JsValue::NULL;
    }
    let (mean, axes) = match width {
        1 => (vec![0.0; 1], [vec![1.0], vec![0.0]]),
        2 => (vec![0.0; 2], [vec![1.0, 0.0], vec![0.0, 1.0]]),
        _ => principal_axes(&observation.codes, width),
    };
    let along = |row: &[f32], axis: &[f64]| -> f32 {
        row.iter().zip(&mean).zip(axis).map(|((x, mean), weight)| (f64::from(*x) - mean) * weight).sum::<f64>() as f32
    };
    let places: Vec<f32> =
        observation.codes.chunks_exact(width).flat_map(|row| [along(row, &axes[0]), along(row, &axes[1])]).collect();
    let labels = &training.data.test.labels;
    let labels: Vec<u16> = observation.rows.iter().filter_map(|&row| labels.get(row).copied()).collect();
    let small = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
    let named = if width > 2 { "principal components 1 and 2" } else { "the numbers of the code" };
    object(&[
        ("rows", (rows as u32).into()),
        ("plane", floats(&places)),
        ("labels", words(&labels)),
        ("mean", floats(&small(&mean))),
        ("axes", floats(&small(&axes.concat()))),
        ("axes_named", named.into()),
    ])
}

/// How many test rows are in each cluster, and some of them.
async fn clusters(training: &mut Training) -> Result<JsValue> {
    let answers = training.session.answers().await?;
    let (test, rows) = (&training.data.test, training.data.test.rows);
    let width = answers.len() / rows.max(1);
    let mut sizes = vec![0u32; width];
    let mut members: Vec<Vec<f32>> = vec![Vec::new(); width];
    for (row, answer) in answers.chunks_exact(width.max(1)).enumerate() {
        let cluster = largest(answer);
        sizes[cluster] += 1;
        if sizes[cluster] as usize <= MEMBERS {
            members[cluster].extend(training.data.encoding.shown(&test.values(row..row + 1)));
        }
    }
    let images =
        members.iter().map(|pixels| list(pixels.chunks_exact(training.data.image().values().max(1)).map(floats)));
    Ok(object(&[("count", (width as u32).into()), ("counts", counts(&sizes)), ("members", list(images))]))
}

/// Place of the largest number.
fn largest(values: &[f32]) -> usize {
    let all = values.iter().enumerate();
    all.fold((0, f32::NEG_INFINITY), |best, (place, &x)| if x > best.1 { (place, x) } else { best }).0
}

/// What the network makes of one row of pixels from 0 to 1.
pub async fn row(training: &mut Training, pixels: &[f32]) -> Result<JsValue> {
    let width = training.data.image().values();
    if pixels.len() != width {
        return Err(Error::Usage(format!("{} pixels, expected {width}", pixels.len())));
    }
    let row = training.data.encoding.seen(pixels);
    if training.config.clustering.is_some() {
        let answer = training.session.answers_to(&row).await?;
        let most = answer.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let parts: Vec<f32> = answer.iter().map(|x| (x - most).exp()).collect();
        let sum: f32 = parts.iter().sum();
        let shares: Vec<f32> = parts.iter().map(|part| part / sum).collect();
        return Ok(object(&[("code", floats(&[])), ("made", JsValue::NULL), ("probabilities", floats(&shares))]));
    }
    let code = training.session.encode(&row).await?;
    let made = training.session.decode(&code).await?;
    Ok(object(&[("code", floats(&code)), ("made", shown(training, &made)), ("probabilities", JsValue::NULL)]))
}

/// What is lost without units, pairs of layer and unit: the error of the test rows, and the first of them reconstructed.
pub async fn without(training: &mut Training, units: &[u32]) -> Result<JsValue> {
    let pairs = units.chunks_exact(2).map(|pair| summary::unit(training, pair[0], pair[1]));
    let held = pairs.collect::<Result<Vec<_>>>()?;
    let learnt = training.session.state().await?;
    let lost = lost(training, &learnt, &held).await;
    training.session.hold(&learnt, &[]).await?;
    lost
}

async fn lost(
    training: &mut Training,
    learnt: &gpu_ae::train::session::State,
    held: &[(usize, usize)],
) -> Result<JsValue> {
    let term = training.config.error_term().unwrap_or("mse");
    let missing = || Error::Usage("this network reconstructs nothing that could be lost".into());
    let before = training.session.evaluate().await?.mean(term).ok_or_else(missing)?;
    training.session.hold(learnt, held).await?;
    let after = training.session.evaluate().await?.mean(term).ok_or_else(missing)?;
    let rebuilt = reconstructions(training).await?;
    Ok(object(&[
        ("name", format!("test {term}").into()),
        ("before", before.into()),
        ("after", after.into()),
        ("reconstructions", rebuilt),
    ]))
}
