//! Studies: a grid of settings, each trained with several seeds, and what came of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::collapse::{Standing, standing};
use crate::config::{Assignment, MOST_SEED, RunConfig};
use crate::error::{Error, Result};
use crate::train::EpochMetrics;

/// Most runs of a study: one that takes a second each is then done in three hours, and its table is still one to read.
pub const MOST_RUNS: usize = 10_000;

/// Keys, each with the values it takes, in the order in which they were given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid(Vec<(String, Vec<String>)>);

/// One value of every key of a grid.
pub type Point = Vec<(String, String)>;

impl Grid {
    /// Reads `key=value,value key=value`.
    ///
    /// # Errors
    /// When a part is no assignment, or a key comes twice.
    pub fn parse(text: &str) -> Result<Self> {
        let mut keys: Vec<(String, Vec<String>)> = Vec::new();
        for part in text.split_whitespace() {
            let refuse = |problem: &str| Error::Usage(format!("--grid '{part}': {problem}"));
            let (key, values) = part.split_once('=').ok_or_else(|| refuse("expected KEY=VALUE,VALUE,…"))?;
            let values: Vec<String> = values.split(',').map(str::to_string).collect();
            if key.is_empty() || values.iter().any(String::is_empty) {
                return Err(refuse("a key or a value is empty"));
            }
            if keys.iter().any(|(other, _)| other == key) {
                return Err(refuse("the key is there twice"));
            }
            keys.push((key.to_string(), values));
        }
        Ok(Grid(keys))
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// Refuses more runs than a study can have, given the seeds of each point, and seeds that there are not.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the flags.
    pub fn check(&self, first: u64, seeds: u32) -> Result<()> {
        if seeds == 0 {
            return Err(Error::Usage("--seeds 0: expected 1 or more".into()));
        }
        if first.checked_add(u64::from(seeds) - 1).is_none_or(|last| last > MOST_SEED) {
            let problem = format!("from --seed {first} on there are not as many; the largest is {MOST_SEED}");
            return Err(Error::Usage(format!("--seeds {seeds}: {problem}")));
        }
        if self.keys().any(|key| key == "seed") {
            return Err(Error::Usage(
                "--grid seed: every point has seeds of its own, counted up from --seed by --seeds".into(),
            ));
        }
        let points = self.0.iter().try_fold(1usize, |points, (_, values)| points.checked_mul(values.len()));
        let runs = points.and_then(|points| points.checked_mul(seeds as usize));
        if runs.is_some_and(|runs| runs <= MOST_RUNS) {
            return Ok(());
        }
        let many = |count: Option<usize>| count.map_or("too many to count".to_string(), |count| count.to_string());
        let of = format!("{} points, {} runs", many(points), many(runs));
        Err(Error::Usage(format!("--grid, --seeds {seeds}: {of}, expected at most {MOST_RUNS} runs")))
    }

    /// All combinations, the last key changing fastest; a single empty one for an empty grid.
    pub fn points(&self) -> Vec<Point> {
        self.0.iter().fold(vec![Vec::new()], |points, (key, values)| {
            let extended = |point: &Point, value: &String| {
                let mut point = point.clone();
                point.push((key.clone(), value.clone()));
                point
            };
            points
                .iter()
                .flat_map(|point| values.iter().map(|value| extended(point, value)).collect::<Vec<_>>())
                .collect()
        })
    }
}

/// A point in words: `alpha=0.5 lambda=0.1`.
pub fn label(point: &Point) -> String {
    if point.is_empty() {
        return "as it is".into();
    }
    point.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
}

/// Settings of a point over a base.
///
/// # Errors
/// When a key or value means nothing; the message names it.
pub fn settings(base: &RunConfig, point: &Point, seed: u64) -> Result<RunConfig> {
    let mut config = RunConfig { seed, ..base.clone() };
    let assignments: Vec<Assignment<'_>> = point.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    config.set_all("--grid", &assignments)?;
    config.check().map_err(|error| Error::Usage(format!("--grid {}: {error}", label(point))))?;
    Ok(config.settled())
}

/// What came of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its point, as [`label`] has it.
    pub point: String,
    /// Its seed.
    pub seed: u64,
    /// The epoch that its figures are of: the last one, or the best one of a run that stops early.
    pub epochs: u32,
    /// Error on the test data; none if a loss was not finite, or nothing is reconstructed.
    pub test_mse: Option<f64>,
    /// exp of the entropy of the code neurons' shares of the paths.
    pub effective_width: Option<f64>,
    /// Code neurons that take part.
    pub active_units: Option<f64>,
    /// How many code neurons are used evenly.
    pub latent_usage: Option<f64>,
    /// Entropy of all paths.
    pub path_entropy: Option<f64>,
    /// Whether it came to the mean image, or broke off.
    pub collapsed: bool,
    /// Whether it is no better than the mean image since it was hardly trained.
    #[serde(default)]
    pub undertrained: bool,
    /// Run directory, relative to that of the study.
    pub path: String,
}

impl Outcome {
    /// That of a run which is worth the last of these epochs, none if it broke off; `mean_image` is the error of the mean
    /// image.
    pub fn new(point: String, config: &RunConfig, epochs: &[EpochMetrics], mean_image: f64, path: String) -> Self {
        let metrics = epochs.last();
        let code = config.encoder_layers();
        let observed = |key: &str| metrics.and_then(|m| m.get(key));
        let standing = standing(epochs, mean_image);
        Outcome {
            point,
            seed: config.seed,
            epochs: metrics.map_or(0, |m| m.epoch),
            test_mse: observed("test_mse"),
            effective_width: metrics.and_then(|m| m.effective_width(code)),
            active_units: metrics.and_then(|m| m.active_units(code)),
            latent_usage: observed("latent_usage"),
            path_entropy: observed("path_entropy"),
            collapsed: epochs.is_empty() || standing == Standing::Collapsed,
            undertrained: !epochs.is_empty() && standing == Standing::Undertrained,
            path,
        }
    }
}

/// Mean and standard deviation of what was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, of the sample; 0 of a single one.
    pub sd: f64,
}

impl Spread {
    /// Of these values; none of none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (!values.is_empty()).then(|| Spread { mean, sd: (squares / (n - 1.0).max(1.0)).sqrt() })
    }
}

/// What came of a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The point.
    pub point: String,
    /// Runs.
    pub runs: usize,
    /// Runs that collapsed.
    pub collapsed: usize,
    /// Runs that were hardly trained.
    pub undertrained: usize,
    /// Test error of the runs that ended.
    pub test_mse: Option<Spread>,
    /// Their effective width.
    pub effective_width: Option<Spread>,
    /// Their active code neurons.
    pub active_units: Option<Spread>,
}

/// One summary a point, in the order of the outcomes.
pub fn summaries(outcomes: &[Outcome]) -> Vec<Summary> {
    let mut points: Vec<&str> = Vec::new();
    let mut by_point: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        if !by_point.contains_key(outcome.point.as_str()) {
            points.push(&outcome.point);
        }
        by_point.entry(&outcome.point).or_default().push(outcome);
    }
    let summary = |point: &str| {
        let runs = &by_point[point];
        let spread = |of: fn(&Outcome) -> Option<f64>| {
            Spread::of(&runs.iter().filter_map(|outcome| of(outcome)).collect::<Vec<f64>>())
        };
        Summary {
            point: point.to_string(),
            runs: runs.len(),
            collapsed: runs.iter().filter(|outcome| outcome.collapsed).count(),
            undertrained: runs.iter().filter(|outcome| outcome.undertrained).count(),
            test_mse: spread(|outcome| outcome.test_mse),
            effective_width: spread(|outcome| outcome.effective_width),
            active_units: spread(|outcome| outcome.active_units),
        }
    };
    points.into_iter().map(summary).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_every_combination_in_order() {
        let grid = Grid::parse("alpha=0.5,1 lambda=0.01,0.1,1").unwrap();
        let points: Vec<String> = grid.points().iter().map(label).collect();
        assert_eq!(points.len(), 6);
        assert_eq!(points[0], "alpha=0.5 lambda=0.01");
        assert_eq!(points[1], "alpha=0.5 lambda=0.1");
        assert_eq!(points[5], "alpha=1 lambda=1");
        assert_eq!(Grid::parse("").unwrap().points(), vec![Vec::new()]);
    }

    #[test]
    fn what_is_no_grid_is_refused_with_its_part() {
        for (text, part) in [("alpha", "'alpha'"), ("alpha=1,,2", "'alpha=1,,2'"), ("a=1 a=2", "'a=2'"), ("=1", "'=1'")]
        {
            let message = Grid::parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn a_study_has_a_limit() {
        let thousand = (0..1000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let grid = |keys: &[&str]| {
            let parts: Vec<String> = keys.iter().map(|key| format!("{key}={thousand}")).collect();
            Grid::parse(&parts.join(" ")).unwrap()
        };
        assert!(grid(&["lr"]).check(0, 10).is_ok());
        let refused = |grid: &Grid, first, seeds| grid.check(first, seeds).unwrap_err().to_string();
        assert!(refused(&grid(&["lr"]), 0, 11).contains("1000 points, 11000 runs, expected at most 10000 runs"));
        let many = grid(&["a", "b", "c", "d", "e", "f", "g"]);
        assert!(refused(&many, 0, 1).contains("--grid") && refused(&many, 0, 1).contains("too many to count"));
        assert!(refused(&grid(&[]), 0, 0).contains("--seeds 0"));
        assert!(refused(&grid(&[]), u64::MAX, 1).contains("--seed 18446744073709551615"));
    }

    #[test]
    fn a_point_sets_keys_by_short_and_long_names() {
        let base = RunConfig::recipe("bottleneck").unwrap();
        let grid = Grid::parse("alpha=2 entropy.activity=product lambda=0.5 budget=0.03 width=12").unwrap();
        let config = settings(&base, &grid.points()[0], 7).unwrap();
        assert_eq!((config.entropy.alpha, config.lambda_entropy, config.seed), (2.0, 0.5, 7));
        assert_eq!(config.entropy.activity, crate::nn::losses::Activity::Product);
        assert!(matches!(config.entropy.schedule, crate::config::Schedule::Budget { mse: 0.03, .. }));
        assert_eq!(config.layers()[2].linear, 12);
        for (key, value, named) in [("alpah", "2", "alpah"), ("alpha", "two", "alpha=two"), ("alpha", "-1", "alpha=-1")]
        {
            let point = vec![(key.to_string(), value.to_string())];
            let message = settings(&base, &point, 0).unwrap_err().to_string();
            assert!(message.contains(named), "{message}");
        }
    }

    #[test]
    fn the_spread_is_that_of_a_sample() {
        let spread = Spread::of(&[1.0, 2.0, 3.0]).unwrap();
        assert!((spread.mean - 2.0).abs() < 1e-12 && (spread.sd - 1.0).abs() < 1e-12);
        assert_eq!(Spread::of(&[5.0]), Some(Spread { mean: 5.0, sd: 0.0 }));
        assert_eq!(Spread::of(&[]), None);
    }
}
