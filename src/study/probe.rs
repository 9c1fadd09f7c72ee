//! What can be told of classes by frozen codes: a linear classifier and nearest neighbours, fitted on some rows and judged on
//! others.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::forward::network;
use crate::model::start::start_values;
use crate::nn::Parameter;
use crate::rng::{Stream, permute, stream_key};
use crate::statistics::nearest::{Nearness, Neighbours};
use crate::statistics::softmax_regression::{SoftmaxRegression, Standard};
use crate::train::Checkpoint;
use crate::train::session::State;

/// How codes are judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// Weight of half of the squared weights of the linear classifier.
    pub lambda: f64,
    /// Neighbours that are asked.
    pub neighbours: usize,
    /// By what rows are near.
    pub nearness: Nearness,
    /// Number of classes.
    pub classes: usize,
}

/// Representations of rows with their classes.
#[derive(Clone, Copy, Debug)]
pub struct Represented<'a> {
    /// `[rows, width]`
    pub values: &'a [f32],
    /// `[rows]`
    pub labels: &'a [u16],
}

/// What a representation is worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Worth {
    /// What is represented how.
    pub of: &'static str,
    /// Numbers of a row.
    pub width: usize,
    /// Share of the test rows that the linear classifier names right.
    pub linear_accuracy: f64,
    /// The same of the rows that it was fitted on.
    pub linear_train_accuracy: f64,
    /// Steps until its minimum was found.
    pub linear_steps: usize,
    /// Whether that was found.
    pub linear_converged: bool,
    /// Share of the test rows that most of their neighbours name right.
    pub neighbours_accuracy: f64,
}

/// Share of rows that are named right.
fn accuracy(named: &[u16], labels: &[u16]) -> f64 {
    named.iter().zip(labels).filter(|(named, label)| named == label).count() as f64 / labels.len().max(1) as f64
}

impl Probe {
    /// Judges a representation of `width` numbers a row, called `of`: fitted on some rows, judged on others.
    ///
    /// The linear classifier sees values standardised by the rows that it is fitted on; neighbours are compared as they are.
    pub fn judge(&self, of: &'static str, width: usize, train: Represented<'_>, test: Represented<'_>) -> Worth {
        let standard = Standard::of(train.values, width);
        let [rows, tested] = [train, test].map(|side| standard.apply(side.values));
        let linear = SoftmaxRegression::fit((&rows, width), train.labels, self.classes, self.lambda);
        let neighbours = Neighbours::new((train.values, width), train.labels, self.nearness);
        Worth {
            of,
            width,
            linear_accuracy: accuracy(&linear.classes_of(&tested), test.labels),
            linear_train_accuracy: accuracy(&linear.classes_of(&rows), train.labels),
            linear_steps: linear.steps,
            linear_converged: linear.is_converged,
            neighbours_accuracy: accuracy(&neighbours.classes_of(test.values, self.neighbours), test.labels),
        }
    }
}

/// Numbers of rows to fit on, in their order: of those with these labels at most `most`, drawn by the seed, or so many of each
/// of the classes that there are.
///
/// # Errors
/// When a class has fewer rows than are asked for of each, with how many it has.
pub fn chosen(labels: &[u16], most: usize, each: Option<usize>, seed: u64) -> Result<Vec<usize>, (u16, usize)> {
    let (rows, key) = (labels.len() as u32, stream_key(seed, Stream::Labels));
    let order = (0..rows).map(|index| permute(index, rows, key) as usize);
    let mut rows: Vec<usize> = match each {
        None => order.take(most).collect(),
        Some(each) => {
            let mut counts = vec![0; labels.iter().max().map_or(0, |label| usize::from(*label) + 1)];
            labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
            let fewest = (0..).zip(&counts).filter(|(_, count)| **count > 0).min_by_key(|(_, count)| **count);
            if let Some((label, &count)) = fewest.filter(|(_, count)| **count < each) {
                return Err((label, count));
            }
            counts.fill(0);
            let is_wanted = |row: &usize| {
                let count = &mut counts[usize::from(labels[*row])];
                *count += 1;
                *count <= each
            };
            order.filter(is_wanted).collect()
        }
    };
    rows.sort_unstable();
    Ok(rows)
}

/// The parameters that the network of a checkpoint began with: those of its configuration and seed.
///
/// # Errors
/// When a block cannot take what the one before it gives.
pub fn untrained(checkpoint: &Checkpoint) -> Result<State> {
    let (config, features) = (&checkpoint.config, checkpoint.features()?);
    let parameters = network(&mut Graph::new(), config, features)?.parameters;
    let mut values: BTreeMap<String, Vec<u8>> = start_values(config, features, 1)?.into_iter().collect();
    let of = |parameter: Parameter| {
        let missing = || Error::Failed(format!("'{}' begins with nothing", parameter.name));
        let bytes = values.remove(&parameter.name).ok_or_else(missing)?;
        Ok((parameter.name, (parameter.ty, bytes)))
    };
    parameters.into_iter().map(of).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_by_number_or_by_class() {
        let labels: Vec<u16> = (0..90).map(|row| if row < 60 { 0 } else { 2 }).collect();
        let some = chosen(&labels, 40, None, 1).unwrap();
        assert!(some.len() == 40 && some.is_sorted() && some != chosen(&labels, 40, None, 2).unwrap());
        assert_eq!(chosen(&labels, 1000, None, 1).unwrap(), (0..90).collect::<Vec<_>>());
        let each = chosen(&labels, 40, Some(7), 1).unwrap();
        assert_eq!(each.len(), 14);
        assert_eq!(each.iter().filter(|row| labels[**row] == 2).count(), 7);
        assert_eq!(chosen(&labels, 40, Some(31), 1), Err((2, 30)), "a class that there is not has none");
    }

    #[test]
    fn what_tells_classes_apart_is_worth_more_than_what_does_not() {
        let labels: Vec<u16> = (0..200).map(|row| row % 4).collect();
        let telling: Vec<f32> = labels.iter().flat_map(|&label| [f32::from(label % 2), f32::from(label / 2)]).collect();
        let useless: Vec<f32> = (0..200).map(|row| (row / 4) as f32).collect();
        let probe = Probe { lambda: 1e-3, neighbours: 5, nearness: Nearness::Euclidean, classes: 4 };
        let judge = |values: &[f32], width: usize| {
            let (train, test) = values.split_at(100 * width);
            let side = |values, range: std::ops::Range<usize>| Represented { values, labels: &labels[range] };
            probe.judge("", width, side(train, 0..100), side(test, 100..200))
        };
        let worth = judge(&telling, 2);
        assert_eq!((worth.linear_accuracy, worth.neighbours_accuracy, worth.linear_converged), (1.0, 1.0, true));
        let worth = judge(&useless, 1);
        assert!(worth.linear_accuracy <= 0.3 && worth.neighbours_accuracy <= 0.3, "{worth:?}");
    }
}
