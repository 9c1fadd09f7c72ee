//! A training run on the terminal: a bar where there is one, a line an epoch everywhere, and what has collapsed.

use std::time::Instant;

use gpu_ae::config::{RunConfig, Told};
use gpu_ae::report::format_number;
use gpu_ae::report::line::{Course, Part, fitting, time};
use gpu_ae::study::collapse::collapses;
use gpu_ae::train::early_stopping::Judgement;
use gpu_ae::train::record::metrics::weight_key;
use gpu_ae::train::{EpochMetrics, Event, Run};

use super::bar::Bar;
use super::live::View;
use super::output::{complain, tell, thousands};
use super::profile::table;
use super::terminal::width;

/// Why a run ends before its last epoch.
fn stopped(config: &RunConfig, judgement: &Judgement<'_>) -> String {
    let Judgement { term, best, value, waited, .. } = *judgement;
    let (value, plural) = (format_number(value), if waited == 1 { "" } else { "s" });
    format!(
        "stopped early: {waited} epoch{plural} without a better {} {term} than the {value} of epoch {}",
        config.deciding(),
        best.epoch
    )
}

/// A figure of an epoch, as its objective wants it told; that of a term with its weight, where that moves.
fn figure(told: &Told, metrics: &EpochMetrics) -> Option<String> {
    let (value, decimals) = (metrics.get(&told.key)?, told.decimals);
    let label = &told.label;
    let term = told.key.strip_prefix("test_").or(told.key.strip_prefix("train_"));
    let weight = term.and_then(|term| metrics.get(&weight_key(term)));
    let weight = weight.map_or(String::new(), |weight| format!(" (weight {})", format_number(weight)));
    Some(if told.percent {
        format!("{label} {:.decimals$} %{weight}", 100.0 * value)
    } else {
        format!("{label} {value:.decimals$}{weight}")
    })
}

/// The line of an epoch, on a terminal of so many columns without what does not fit: the loss, unless weights move and
/// losses of different epochs do not compare; the terms, what follows from them, and what the network looks like.
fn line(config: &RunConfig, m: &EpochMetrics, columns: Option<usize>) -> String {
    let width = config.epochs.to_string().len();
    let mut parts: Vec<Part> = vec![(0, format!("epoch {:>width$}/{}", m.epoch, config.epochs))];
    if config.moving_terms().is_empty() {
        parts.push((0, format!("loss {:.4}", m.train_loss)));
    }
    let objectives = config.objectives();
    let told = objectives.iter().flat_map(|objective| objective.told(config));
    parts.extend(told.filter_map(|told| Some((1, figure(&told, m)?))));
    let decides = config.early_stopping.as_ref().map(|_| config.judged_term());
    let decides = decides.filter(|_| config.deciding() != "test");
    parts.extend(decides.and_then(|term| {
        let value = m.deciding(config, term)?;
        Some((1, format!("{} {term} {}", config.deciding(), format_number(value))))
    }));
    parts.extend(active(m).map(|active| (2, active)));
    parts.push((3, format!("{:>7} samples/s", thousands(m.samples_per_second as u64))));
    fitting(&parts, columns)
}

/// How many units of each hidden layer are active, where that is known.
pub fn active(metrics: &EpochMetrics) -> Option<String> {
    let units: Vec<String> = (1..).map_while(|layer| metrics.active_units(layer)).map(|it| it.to_string()).collect();
    (!units.is_empty()).then(|| format!("active {}", units.join("-")))
}

/// How wide each hidden layer is by the paths through it, where that is known.
pub fn effective(metrics: &EpochMetrics) -> Option<String> {
    let width = |layer| metrics.effective_width(layer);
    let widths: Vec<String> = (1..).map_while(width).map(|width| format!("{width:.1}")).collect();
    (!widths.is_empty()).then(|| format!("effective width {}", widths.join("-")))
}

/// The bar of a run: how far its epoch is, how long that and the whole run still take.
pub struct RunBar {
    bar: Bar,
    epochs: u32,
    /// Training rows, the length of an epoch.
    rows: u64,
    epoch: u32,
    course: Course,
}

impl RunBar {
    /// For a run of so many `epochs` over `rows` training rows.
    pub fn new(epochs: u32, rows: usize, quiet: bool) -> Self {
        let (course, rows) = (Course::new(epochs, rows), rows as u64);
        RunBar { bar: Bar::new("epoch", rows, quiet), epochs, rows, epoch: 0, course }
    }

    /// Shows what the run tells of its progress.
    pub fn show(&mut self, event: &Event<'_>) {
        let &Event::Progress { epoch, samples, figure: (name, value), samples_per_second } = event else { return };
        if epoch != self.epoch {
            self.epoch = epoch;
            self.bar.restart(&format!("epoch {epoch}/{}", self.epochs), self.rows);
        }
        let [left, run] = self.course.at(Instant::now(), epoch, samples, samples_per_second).left;
        let left = left.map(|rest| format!("{} left", time(rest)));
        // Of the last epoch it would be the same again.
        let run = run.filter(|_| epoch < self.epochs).map(|rest| format!("{} of the run", time(rest)));
        let parts: [Part; 4] = [
            (0, left.unwrap_or_default()),
            (1, run.unwrap_or_default()),
            (2, format!("{name} {value:.4}")),
            (3, format!("{} samples/s", thousands(samples_per_second as u64))),
        ];
        self.bar.show(samples, &parts);
    }

    /// Prints something while the bar is out of the way.
    pub fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }
}

/// The bar of a study: its runs, each as long as any other.
pub struct StudyBar {
    bar: Bar,
    /// Runs of the whole study, and those that are trained now.
    all: usize,
    left: usize,
    ended: usize,
}

/// Length of a run on the bar.
const RUN: u64 = 10_000;

impl StudyBar {
    /// For the last `left` of `all` runs.
    pub fn new(all: usize, left: usize, quiet: bool) -> Self {
        let mut bar = StudyBar { bar: Bar::new("", left as u64 * RUN, quiet), all, left, ended: 0 };
        bar.name();
        bar
    }

    fn name(&mut self) {
        let number = (self.all - self.left + self.ended + 1).min(self.all);
        self.bar.rename(&format!("run {number}/{}", self.all));
    }

    /// Shows what a run of so many epochs over so many rows tells of its progress.
    pub fn show(&mut self, event: &Event<'_>, epochs: u32, rows: usize) {
        let &Event::Progress { epoch, samples, figure: (name, value), .. } = event else { return };
        let share = (f64::from(epoch - 1) + samples as f64 / rows as f64) / f64::from(epochs);
        let done = self.ended as u64 * RUN + (share * RUN as f64) as u64;
        self.bar.at(done, &[(1, format!("epoch {epoch}/{epochs}")), (2, format!("{name} {value:.4}"))]);
    }

    /// Goes on to the next run.
    pub fn run_ended(&mut self) {
        self.ended += 1;
        self.name();
    }

    /// Prints something while the bar is out of the way.
    pub fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }
}

/// Where a run is shown.
enum Shown {
    /// In lines, over a bar where there is one.
    Lines(RunBar),
    /// On the whole screen.
    Screen(View),
}

impl Shown {
    fn tell(&mut self, text: &str) {
        match self {
            Shown::Lines(bar) => bar.suspend(|| tell(text)),
            Shown::Screen(view) => view.tell(text),
        }
    }
}

/// Progress on the terminal.
pub struct Display {
    shown: Shown,
    config: RunConfig,
    /// What has collapsed, as far as it was told.
    collapsed: Vec<String>,
    /// When the program started, until the first step was told.
    begin: Option<Instant>,
    quiet: bool,
}

impl Display {
    /// For a run over `rows` training rows, on the whole screen if that is open; `begin` is when the program started.
    pub fn new(run: &Run, rows: usize, begin: Instant, quiet: bool, view: Option<View>) -> Self {
        let lines = || Shown::Lines(RunBar::new(run.config().epochs, rows, quiet));
        let shown = view.map_or_else(lines, Shown::Screen);
        let begin = Some(begin).filter(|_| !quiet);
        Display { shown, config: run.config().clone(), collapsed: Vec::new(), begin, quiet }
    }

    /// Shows what the run tells.
    pub fn show(&mut self, event: Event<'_>) {
        // A run that is over already takes no step.
        if !matches!(event, Event::Stopped(_))
            && let Some(begin) = self.begin.take()
        {
            let notice = format!("first step {:.2} s after start", begin.elapsed().as_secs_f64());
            match &mut self.shown {
                Shown::Lines(_) => complain(&notice),
                Shown::Screen(view) => view.complain(&notice),
            }
        }
        match &mut self.shown {
            Shown::Lines(bar) => bar.show(&event),
            Shown::Screen(view) => view.show(&event),
        }
        let text = match event {
            Event::Epoch(metrics) => Some(line(&self.config, metrics, width())),
            Event::Stopped(judgement) => Some(stopped(&self.config, &judgement)),
            Event::Profile(profile) => Some(format!("\n{}", table(profile, width()))),
            Event::Progress { .. } => None,
        };
        if let Some(text) = text.filter(|_| !self.quiet) {
            self.shown.tell(&text);
        }
        if let Event::Epoch(metrics) = event {
            self.warn(metrics);
        }
    }

    /// Says what has collapsed, once.
    fn warn(&mut self, metrics: &EpochMetrics) {
        for collapse in collapses(&self.config, metrics) {
            if self.quiet || self.collapsed.contains(&collapse.of) {
                continue;
            }
            match &mut self.shown {
                Shown::Lines(bar) => bar.suspend(|| complain(&format!("warning: {}", collapse.advice))),
                Shown::Screen(view) => view.warn(&collapse.advice),
            }
            self.collapsed.push(collapse.of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(config: &RunConfig, further: &[(&str, f64)]) -> String {
        let figures = [("train_mse", 0.03), ("test_mse", 0.031), ("test_entropy", 2.9), ("test_kl", 24.0)];
        let figures = figures.iter().chain(further).map(|(key, value)| ((*key).to_string(), *value)).collect();
        let metrics = EpochMetrics {
            epoch: 7,
            step: 70,
            seconds: 1.0,
            samples_per_second: 1000.0,
            train_loss: 5.8,
            test_loss: 5.8,
            figures,
        };
        line(config, &metrics, None)
    }

    /// A loss that is multiplied as its entropy gains weight reads as if training diverged.
    #[test]
    fn a_loss_is_told_where_its_weights_rest_and_a_weight_that_moves_beside_its_term() -> gpu_ae::Result<()> {
        let report = told(&RunConfig::recipe("report")?, &[]);
        assert!(
            report.starts_with("epoch  7/10  loss 5.8000  mse 0.0300  test mse 0.0310  entropy 2.900  "),
            "{report}"
        );
        let bottleneck = told(&RunConfig::recipe("bottleneck")?, &[("entropy_weight", 0.0132)]);
        assert!(!bottleneck.contains("loss"), "{bottleneck}");
        assert!(bottleneck.contains("entropy 2.900 (weight 0.01320)  "), "{bottleneck}");
        let mut vae = RunConfig::model("vae")?;
        assert!(told(&vae, &[]).contains("loss"));
        vae.set("--set", "variational.warm_up", "5")?;
        let warming = told(&vae, &[("kl_weight", 0.0)]);
        assert!(warming.contains("kl 24.00 (weight 0)  ") && !warming.contains("loss"), "{warming}");
        // What decides when to stop is told where it is not told anyway.
        let mut stopping = RunConfig::recipe("plain")?;
        stopping.set("--set", "early_stopping.patience", "3")?;
        let validated = [("validation_mse", 0.0325)];
        assert!(!told(&stopping, &validated).contains("validation"), "the test data decides");
        let line = told(&stopping.with_usual_validation(), &validated);
        assert!(line.contains("test mse 0.0310  validation mse 0.03250  "), "{line}");
        Ok(())
    }
}
