//! A Hopfield network on a device: patterns made of images, and what it recalls of them when pixels are flipped.

use serde::Serialize;

use crate::config::HopfieldConfig;
use crate::data::Dataset;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::graph::{Graph, Role};
use crate::nn::hopfield::{Rule, Update, update};
use crate::plan::Plan;
use crate::rng::{Rng, Stream, permute, stream_key};
use crate::tensor::Ty;

/// How often each pattern is shown, with other pixels flipped every time.
const PROBES: usize = 4;

/// Updates after which a state that still changes is taken as one that never rests.
const LIMIT: u32 = 50;

/// Overlap from which a pattern is called nearly recalled.
const NEAR: f64 = 0.95;

/// What came of one rule at one load and one share of flipped pixels. An overlap is the mean of the products of
/// pixels of -1 and 1: 1 for the pattern itself, 0 for what has nothing to do with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recall {
    /// How patterns were stored.
    pub rule: Rule,
    /// Patterns over neurons, as asked for.
    pub load: f32,
    /// Patterns stored.
    pub patterns: usize,
    /// Share of pixels flipped.
    pub flips: f32,
    /// Share of probes that ended in exactly the pattern they were made of.
    pub exact: f64,
    /// Share of probes that ended at an overlap of .95 or more with it.
    pub near: f64,
    /// Mean overlap with it before the first update.
    pub overlap_before: f64,
    /// Mean overlap with it at the end.
    pub overlap_after: f64,
    /// Mean number of updates, or sweeps, until nothing changed, of the probes that came to rest.
    pub steps: f64,
    /// Share of probes that came to rest.
    pub at_rest: f64,
}

/// Images before and after, pixels 0 and 1: the first probe of every pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// As stored.
    pub stored: Vec<f32>,
    /// With pixels flipped.
    pub flipped: Vec<f32>,
    /// What each rule made of that.
    pub recalled: Vec<(Rule, Vec<f32>)>,
}

/// States that were updated until they rest.
struct Rested {
    states: Vec<f32>,
    /// Updates until rest, of every state that rests.
    steps: Vec<Option<u32>>,
}

/// `count` different rows of the training data as patterns of −1 and 1, by seed.
fn patterns(data: &Dataset, count: usize, threshold: f32, seed: u64) -> Result<Vec<f64>> {
    let rows = data.train.rows;
    if count > rows {
        let problem =
            format!("hopfield.loads: {count} patterns are more than the {rows} training rows of {}", data.name);
        return Err(Error::Usage(problem));
    }
    let key = stream_key(seed, Stream::Patterns);
    let chosen = (0..count as u32).map(|index| permute(index, rows as u32, key) as usize);
    let mut values = Vec::with_capacity(count * data.train.width);
    chosen.for_each(|row| data.train.append(row, &mut values));
    Ok(values.into_iter().map(|x| if x > threshold { 1.0 } else { -1.0 }).collect())
}

/// Every pattern [`PROBES`] times with this many of its pixels flipped.
fn probes(patterns: &[f64], neurons: usize, flips: usize, rng: &mut Rng) -> Vec<f32> {
    let mut probes = Vec::with_capacity(PROBES * patterns.len());
    for pattern in patterns.chunks_exact(neurons) {
        for _ in 0..PROBES {
            let key = [rng.next_u32(), rng.next_u32()];
            let mut probe: Vec<f32> = pattern.iter().map(|&x| x as f32).collect();
            (0..flips as u32).for_each(|index| {
                let pixel = &mut probe[permute(index, neurons as u32, key) as usize];
                *pixel = -*pixel;
            });
            probes.extend(probe);
        }
    }
    probes
}

/// Updates the rows of `states`, of −1 and 1, until they rest, without biases.
fn rest(device: &mut dyn Device, weights: &[f64], states: Vec<f32>, order: Update) -> Result<Rested> {
    let neurons = weights.len().isqrt();
    let rows = states.len() / neurons;
    let g = &mut Graph::new();
    let x = g.source(Role::Input, "states", Ty::f32(&[rows, neurons]));
    let weight = g.source(Role::Param, "weights", Ty::f32(&[neurons, neurons]));
    let bias = g.source(Role::Param, "biases", Ty::f32(&[neurons]));
    let next = update(g, order, x, weight, bias)?;
    g.result("next", next);
    device.clear();
    let plan = Plan::new("recall", g, device.profile())?;
    let program = device.load(plan)?;
    // Without biases a factor changes no sign, and this one makes Hebbian weights whole numbers, so that a field of 0
    // is 0 on every device.
    let scaled: Vec<f32> = weights.iter().map(|weight| (weight * neurons as f64) as f32).collect();
    device.write(program, "weights", bytemuck::cast_slice(&scaled))?;
    device.write(program, "biases", bytemuck::cast_slice(&vec![0f32; neurons]))?;
    let mut rested = Rested { states, steps: vec![None; rows] };
    for step in 0..LIMIT {
        device.write(program, "states", bytemuck::cast_slice(&rested.states))?;
        device.run(program, 1)?;
        let next = device.read_f32(program, "next")?;
        let pairs = rested.states.chunks_exact(neurons).zip(next.chunks_exact(neurons));
        for (at, (before, after)) in rested.steps.iter_mut().zip(pairs) {
            if at.is_none() && before == after {
                *at = Some(step);
            }
        }
        rested.states = next;
        if rested.steps.iter().all(Option::is_some) {
            break;
        }
    }
    Ok(rested)
}

fn overlaps(states: &[f32], patterns: &[f64], neurons: usize) -> Vec<f64> {
    let patterns = patterns.chunks_exact(neurons).flat_map(|pattern| std::iter::repeat_n(pattern, PROBES));
    let overlap = |(state, pattern): (&[f32], &[f64])| {
        state.iter().zip(pattern).map(|(&x, p)| f64::from(x) * p).sum::<f64>() / neurons as f64
    };
    states.chunks_exact(neurons).zip(patterns).map(overlap).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Pixels of 0 and 1 of the first probe of every pattern.
fn images(states: &[f32], neurons: usize) -> Vec<f32> {
    let firsts = states.chunks_exact(neurons).step_by(PROBES);
    firsts.flat_map(|state| state.iter().map(|x| (x + 1.0) / 2.0)).collect()
}

/// Stores and recalls at every load, share of flipped pixels and rule, and tells each result as it comes.
///
/// # Errors
/// When there are fewer images than patterns asked for, or the device fails.
pub fn study(
    device: &mut dyn Device,
    config: &HopfieldConfig,
    data: &Dataset,
    seed: u64,
    mut tell: impl FnMut(&Recall) -> Result<()>,
) -> Result<Picture> {
    let neurons = data.train.width;
    let mut picture: Option<Picture> = None;
    for &load in &config.loads {
        let count = HopfieldConfig::patterns(load, neurons);
        let patterns = patterns(data, count, config.threshold, seed)?;
        for (at, &rule) in config.rules.iter().enumerate() {
            let weights = rule.weights(&patterns, neurons);
            // The same pixels for every rule.
            let mut rng = Rng::new(stream_key(seed.wrapping_add(1), Stream::Patterns));
            for (which, &flips) in config.flips.iter().enumerate() {
                let flipped = (f64::from(flips) * neurons as f64).round() as usize;
                let shown = probes(&patterns, neurons, flipped, &mut rng);
                let Rested { states, steps } = rest(device, &weights, shown.clone(), config.update)?;
                let (before, after) = (overlaps(&shown, &patterns, neurons), overlaps(&states, &patterns, neurons));
                let share = |least: f64| after.iter().filter(|&&o| o >= least).count() as f64 / after.len() as f64;
                let taken: Vec<f64> = steps.iter().flatten().map(|&steps| f64::from(steps)).collect();
                tell(&Recall {
                    rule,
                    load,
                    patterns: count,
                    flips,
                    exact: share(1.0),
                    near: share(NEAR),
                    overlap_before: mean(&before),
                    overlap_after: mean(&after),
                    steps: mean(&taken),
                    at_rest: taken.len() as f64 / steps.len() as f64,
                })?;
                if which > 0 {
                    continue;
                }
                if at == 0 && picture.is_none() {
                    let stored = patterns.iter().map(|x| (*x as f32 + 1.0) / 2.0).collect();
                    picture = Some(Picture { stored, flipped: images(&shown, neurons), recalled: Vec::new() });
                }
                // Of the first load alone.
                if let Some(picture) = picture.as_mut().filter(|picture| picture.recalled.len() == at) {
                    picture.recalled.push((rule, images(&states, neurons)));
                }
            }
        }
    }
    picture.ok_or_else(|| Error::Usage("hopfield.loads: expected at least one number".into()))
}
