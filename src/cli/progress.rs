//! A training run on the terminal: a bar where there is one, a line an epoch everywhere, and what has collapsed.

use std::io::IsTerminal;
use std::time::Instant;

use gpu_ae::config::{RunConfig, Told};
use gpu_ae::report::format_number;
use gpu_ae::study::collapse::collapses;
use gpu_ae::train::early_stopping::Judgement;
use gpu_ae::train::{EpochMetrics, Event, Run};
use indicatif::{ProgressBar, ProgressStyle};

use super::output::{complain, tell, thousands};
use super::profile::table;

/// Why a run ends before its last epoch.
fn stopped(judgement: &Judgement<'_>) -> String {
    let Judgement { term, best, value, waited, .. } = *judgement;
    let (value, plural) = (format_number(value), if waited == 1 { "" } else { "s" });
    format!(
        "stopped early: {waited} epoch{plural} without a better test {term} than the {value} of epoch {}",
        best.epoch
    )
}

/// A figure of an epoch, as its objective wants it told.
fn figure(told: &Told, metrics: &EpochMetrics) -> Option<String> {
    let (value, decimals) = (metrics.get(&told.key)?, told.decimals);
    let label = &told.label;
    Some(if told.percent {
        format!("{label} {:.decimals$} %  ", 100.0 * value)
    } else {
        format!("{label} {value:.decimals$}  ")
    })
}

/// Progress on the terminal.
pub struct Display {
    bar: Option<ProgressBar>,
    config: RunConfig,
    /// What has collapsed, as far as it was told.
    collapsed: Vec<String>,
    /// When the program started, until the first step was told.
    begin: Option<Instant>,
    quiet: bool,
}

impl Display {
    /// For a run over `rows` training rows; `begin` is when the program started.
    pub fn new(run: &Run, rows: usize, begin: Instant, quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template("{prefix} [{bar:32}] {percent:>3}%  {msg}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
            ProgressBar::new(rows as u64).with_style(style)
        });
        let begin = Some(begin).filter(|_| !quiet);
        Display { bar, config: run.config().clone(), collapsed: Vec::new(), begin, quiet }
    }

    /// Shows what the run tells.
    pub fn show(&mut self, event: Event<'_>) {
        // A run that is over already takes no step.
        if !matches!(event, Event::Stopped(_))
            && let Some(begin) = self.begin.take()
        {
            complain(&format!("first step {:.2} s after start", begin.elapsed().as_secs_f64()));
        }
        match (event, &self.bar) {
            (Event::Progress { epoch, samples, loss, samples_per_second }, Some(bar)) => {
                bar.set_prefix(format!("epoch {epoch}/{}", self.config.epochs));
                bar.set_position(samples);
                bar.set_message(format!("loss {loss:.4}  {} samples/s", thousands(samples_per_second as u64)));
            }
            (Event::Epoch(metrics), Some(bar)) => bar.suspend(|| tell(&self.line(metrics))),
            (Event::Epoch(metrics), None) if !self.quiet => tell(&self.line(metrics)),
            (Event::Stopped(judgement), Some(bar)) => bar.suspend(|| tell(&stopped(&judgement))),
            (Event::Stopped(judgement), None) if !self.quiet => tell(&stopped(&judgement)),
            (Event::Profile(profile), Some(bar)) => bar.suspend(|| tell(&format!("\n{}", table(profile)))),
            (Event::Profile(profile), None) if !self.quiet => tell(&format!("\n{}", table(profile))),
            _ => {}
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
            let warning = format!("warning: {}", collapse.advice);
            match &self.bar {
                Some(bar) => bar.suspend(|| complain(&warning)),
                None => complain(&warning),
            }
            self.collapsed.push(collapse.of);
        }
    }

    fn line(&self, m: &EpochMetrics) -> String {
        let width = self.config.epochs.to_string().len();
        let objectives = self.config.objectives();
        let told = objectives.iter().flat_map(|objective| objective.told(&self.config));
        let told: String = told.filter_map(|told| figure(&told, m)).collect();
        let active = (1..).map_while(|n| m.figures.get(&format!("active_units_{n}")).map(ToString::to_string));
        let active: Vec<String> = active.collect();
        let active = if active.is_empty() { String::new() } else { format!("active {}  ", active.join("-")) };
        format!(
            "epoch {:>width$}/{}  loss {:.4}  {told}{active}{:>7} samples/s",
            m.epoch,
            self.config.epochs,
            m.train_loss,
            thousands(m.samples_per_second as u64)
        )
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
