//! What is seen of a run, from what it tells.

use std::sync::Arc;
use std::time::Instant;

use gpu_ae::config::RunConfig;
use gpu_ae::nn::Pass;
use gpu_ae::report::Curves;
use gpu_ae::report::line::Course;
use gpu_ae::report::screen::{Pictures, Progress, Screen};
use gpu_ae::train::{EpochMetrics, Event};

use crate::cli::launch::Launched;
use crate::cli::launch::introduction::network;
use crate::cli::progress::{active, effective};

/// Most points of a curve: no terminal has more columns of dots. Beyond, every second one is left out.
const POINTS: usize = 2000;

/// A run as it is seen.
#[derive(Default)]
pub struct Seen {
    screen: Screen,
    /// Keys of the metrics that the curves are of, without what part of the data they are about.
    terms: Vec<String>,
    course: Course,
}

impl Seen {
    /// A run before it trains, with the epochs that it has behind it.
    pub fn of(launched: &mut Launched) -> Self {
        let Launched { run, config, data, path } = launched;
        let (network, rows) = (network(config, data.train.width), data.train.rows);
        let terms = terms(config);
        let curves = terms.iter().map(|term| Curves { title: term.replace('_', " "), ..Curves::default() });
        let screen = Screen {
            run: format!("{} {network} on {}, {}", config.model, data.name, path.display()),
            device: run.session().device_name().to_string(),
            progress: Progress { epochs: config.epochs, ..Progress::default() },
            curves: curves.collect(),
            keys: "q ends the run, with all of its work kept".into(),
            ..Screen::default()
        };
        let mut seen = Seen { screen, terms, course: Course::new(config.epochs, rows) };
        run.metrics().iter().for_each(|metrics| seen.epoch(metrics));
        seen
    }

    /// What there is to draw.
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Images, in the place of those that were seen before.
    pub fn picture(&mut self, pictures: Arc<Pictures>) {
        self.screen.pictures = Some(pictures);
    }

    /// What the run tells.
    pub fn hear(&mut self, event: &Event<'_>) {
        match *event {
            Event::Progress { epoch, samples, figure: (name, value), samples_per_second } => {
                let course = self.course.at(Instant::now(), epoch, samples, samples_per_second);
                let progress = &mut self.screen.progress;
                (progress.epoch, progress.of_epoch, progress.of_run) = (epoch, course.of_epoch, course.of_run);
                progress.left = course.left;
                progress.figure = Some((name.to_string(), value));
                progress.samples_per_second = Some(samples_per_second);
                push(&mut self.screen.under_way, (f64::from(epoch - 1) + course.of_epoch, value));
            }
            Event::Epoch(metrics) => self.epoch(metrics),
            Event::Stopped(_) | Event::Profile(_) => {}
        }
    }

    /// Something to warn of.
    pub fn warn(&mut self, text: &str) {
        self.screen.warnings.push(text.to_string());
    }

    fn epoch(&mut self, metrics: &EpochMetrics) {
        self.screen.under_way.clear();
        let epoch = f64::from(metrics.epoch);
        for (curves, term) in self.screen.curves.iter_mut().zip(&self.terms) {
            let parts =
                [("train", &mut curves.train), ("test", &mut curves.test), ("validation", &mut curves.validation)];
            for (part, points) in parts {
                if let Some(value) = metrics.get(&format!("{part}_{term}")) {
                    push(points, (epoch, value));
                }
            }
        }
        let widths = [active(metrics).map(|active| (0, active)), effective(metrics).map(|width| (1, width))];
        self.screen.widths = widths.into_iter().flatten().collect();
    }
}

/// What has a curve: first what is told of an epoch under way, which is the loss unless its weights move, then all terms and what
/// follows from them. A loss that is its only term is told once.
fn terms(config: &RunConfig) -> Vec<String> {
    let terms = config.terms(Pass::Train);
    let counting: Vec<_> = terms.iter().filter(|(_, weight)| weight.counts).collect();
    let is_alone = matches!(counting[..], [(_, weight)] if weight.value == 1.0);
    let loss = (!is_alone && config.moving_terms().is_empty()).then_some("loss");
    let derived = config.derived().into_iter().map(|derived| derived.name);
    loss.into_iter().chain(terms.iter().map(|(name, _)| *name)).chain(derived).map(str::to_string).collect()
}

fn push(points: &mut Vec<(f64, f64)>, point: (f64, f64)) {
    if points.len() >= POINTS {
        let mut number = 0;
        points.retain(|_| {
            number += 1;
            number % 2 == 0
        });
    }
    points.push(point);
}
