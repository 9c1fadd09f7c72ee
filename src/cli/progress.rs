//! A training run on the terminal: a bar where there is one, a line an epoch everywhere, and what has collapsed.

use std::io::IsTerminal;
use std::time::Instant;

use gpu_ae::config::{RunConfig, Told};
use gpu_ae::report::format_number;
use gpu_ae::study::collapse::collapses;
use gpu_ae::train::early_stopping::Judgement;
use gpu_ae::train::record::metrics::weight_key;
use gpu_ae::train::{EpochMetrics, Event, Run};
use indicatif::{ProgressBar, ProgressStyle};

use super::output::{complain, tell, thousands};
use super::profile::table;

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
        format!("{label} {:.decimals$} %{weight}  ", 100.0 * value)
    } else {
        format!("{label} {value:.decimals$}{weight}  ")
    })
}

/// The line of an epoch: the loss, unless weights move and losses of different epochs do not compare; the terms, what
/// follows from them, and what the network looks like.
fn line(config: &RunConfig, m: &EpochMetrics) -> String {
    let width = config.epochs.to_string().len();
    let loss = if config.moving_terms().is_empty() { format!("loss {:.4}  ", m.train_loss) } else { String::new() };
    let objectives = config.objectives();
    let told = objectives.iter().flat_map(|objective| objective.told(config));
    let told: String = told.filter_map(|told| figure(&told, m)).collect();
    let decides = config.early_stopping.as_ref().map(|_| config.judged_term());
    let decides = decides.filter(|_| config.deciding() != "test");
    let decided = decides.and_then(|term| {
        let value = m.deciding(config, term)?;
        Some(format!("{} {term} {}  ", config.deciding(), format_number(value)))
    });
    let decided = decided.unwrap_or_default();
    let active = (1..).map_while(|layer| m.active_units(layer)).map(|units| units.to_string());
    let active: Vec<String> = active.collect();
    let active = if active.is_empty() { String::new() } else { format!("active {}  ", active.join("-")) };
    format!(
        "epoch {:>width$}/{}  {loss}{told}{decided}{active}{:>7} samples/s",
        m.epoch,
        config.epochs,
        thousands(m.samples_per_second as u64)
    )
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
            (Event::Progress { epoch, samples, figure: (name, value), samples_per_second }, Some(bar)) => {
                bar.set_prefix(format!("epoch {epoch}/{}", self.config.epochs));
                bar.set_position(samples);
                bar.set_message(format!("{name} {value:.4}  {} samples/s", thousands(samples_per_second as u64)));
            }
            (Event::Epoch(metrics), Some(bar)) => bar.suspend(|| tell(&line(&self.config, metrics))),
            (Event::Epoch(metrics), None) if !self.quiet => tell(&line(&self.config, metrics)),
            (Event::Stopped(judgement), Some(bar)) => bar.suspend(|| tell(&stopped(&self.config, &judgement))),
            (Event::Stopped(judgement), None) if !self.quiet => tell(&stopped(&self.config, &judgement)),
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

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
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
        line(config, &metrics)
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
