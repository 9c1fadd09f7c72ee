//! Tuning: candidates are measured on the device at hand, for the shapes that a run needs, and the
//! fastest that agrees with its twin is chosen.

mod cache;
mod decision;
mod paths;
mod proof;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::{Duration, Instant};

use super::Device;
use super::proof::check::{load, time_case};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::ops::{Applied, Case, Dispatch};
use crate::plan::{Choices, Fusion, Site, sites};
use crate::shader::ShaderKey;
use crate::tensor::Ty;
use decision::{Bench, decide};
use paths::fastest;

pub use cache::{Cache, Stored, fingerprint};
pub use proof::Prover;

/// Time spent on timing one candidate.
const TIMING: Duration = Duration::from_millis(4);

/// A graph that a run computes again and again.
pub struct Subject<'a> {
    /// Name of its plan.
    pub name: &'a str,
    /// What it computes.
    pub graph: &'a Graph,
    /// How often it runs, compared with the others.
    pub weight: f64,
    /// What its sources hold at the start, by name; from the front where that is not all of it.
    pub feeds: Vec<(String, Vec<u8>)>,
}

/// A set of fusions that may be the best for a device as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Its name.
    pub name: String,
    /// What is fused.
    pub fusions: BTreeSet<Fusion>,
}

/// What is to be tuned.
pub struct Task<'a> {
    /// The graphs; whole plans are compared on the first.
    pub subjects: Vec<Subject<'a>>,
    /// The ways to fuse them, the static one first.
    pub paths: Vec<Path>,
    /// Kernels that were chosen before, by site: not measured again.
    pub known: BTreeMap<String, String>,
    /// Time that it may take, the building of pipelines included.
    pub budget: Duration,
    /// Whether factors of products may be rounded to f16.
    pub mixed: bool,
}

/// What came of tuning.
#[derive(Clone, Debug)]
pub struct Report {
    /// Fusions, and a kernel for every site.
    pub choices: Choices,
    /// A kernel for every site of every path.
    pub kernels: BTreeMap<String, String>,
    /// Which of the whole plans it is.
    pub plan: String,
    /// Sites that were measured.
    pub measured: usize,
    /// Sites whose kernel is not the static one.
    pub changed: usize,
    /// Sites and whole plans there was no time for, which lose to the static choice.
    pub left: usize,
    /// What was refused, and why.
    pub refused: Vec<String>,
    /// Time it took.
    pub time: Duration,
}

impl Task<'_> {
    /// The sites of all subjects on all paths, those with most work first.
    ///
    /// # Errors
    /// Never for well-formed graphs.
    fn sites(&self, device: &dyn Device) -> Result<Vec<Site>> {
        let mut all: Vec<Site> = Vec::new();
        for subject in &self.subjects {
            let mut of_subject: Vec<Site> = Vec::new();
            for path in &self.paths {
                for site in sites(subject.graph, &path.fusions, self.mixed, device.profile())? {
                    if !of_subject.iter().any(|other| other.name == site.name) {
                        of_subject.push(Site { work: site.work * subject.weight, ..site });
                    }
                }
            }
            for site in of_subject {
                match all.iter_mut().find(|other| other.name == site.name) {
                    Some(other) => other.work += site.work,
                    None => all.push(site),
                }
            }
        }
        all.sort_by(|a, b| b.work.total_cmp(&a.work));
        Ok(all)
    }

    /// The sites that must be measured: those that nothing usable is known of.
    ///
    /// # Errors
    /// Never for well-formed graphs.
    pub fn open_sites(&self, device: &dyn Device) -> Result<Vec<Site>> {
        let mut sites = self.sites(device)?;
        sites.retain(|site| {
            let known = self.known.get(&site.name);
            !known.is_some_and(|known| (0..site.candidates.len()).any(|i| site.label(i) == *known))
        });
        Ok(sites)
    }

    /// Measures.
    ///
    /// # Errors
    /// When the device fails, or computes an operation wrongly with every kernel there is.
    pub fn run(&self, device: &mut dyn Device) -> Result<Report> {
        let begin = Instant::now();
        let mut prover = Prover::default();
        let (sites, whole): (Vec<Site>, Vec<Site>) =
            self.open_sites(device)?.into_iter().partition(|site| prover.can_draw(site));
        let counts: Vec<usize> = sites.iter().map(|site| site.candidates.len()).collect();
        // Whole plans need their share.
        let share = if self.paths.len() > 1 || !whole.is_empty() { 0.6 } else { 1.0 };
        let mut bench = DeviceBench { device, sites: &sites, begin, prover, timed: None };
        let verdicts = decide(&mut bench, &counts, self.budget.mul_f64(share));
        device.clear();

        let name = device.identity().adapter;
        let mut kernels = self.known.clone();
        kernels.extend(whole.iter().map(|site| (site.name.clone(), site.label(0))));
        let (mut measured, mut changed, mut refused) = (0, 0, Vec::new());
        for (site, verdict) in sites.iter().zip(verdicts) {
            let words = |(candidate, problem): &(usize, String)| {
                format!("{} refused for {} on {name}: {problem}", site.label(*candidate), site.name)
            };
            refused.extend(verdict.refused.iter().map(words));
            if verdict.winner.is_none() && !verdict.refused.is_empty() {
                return Err(Error::Failed(format!(
                    "no kernel computes {} correctly; 'gpu-ae doctor' examines them all, --tune off trains all the \
                     same\n{}",
                    site.name,
                    refused.join("\n")
                )));
            }
            measured += usize::from(verdict.winner.is_some());
            changed += usize::from(verdict.winner.is_some_and(|winner| winner > 0));
            kernels.insert(site.name.clone(), site.label(verdict.winner.unwrap_or(0)));
        }
        let mut left = sites.len() - measured;

        let ways = self.ways(device, &kernels, &whole)?;
        let mut best = 0;
        if let ([_, _, ..], Some(subject)) = (&ways[..], self.subjects.first()) {
            let choices: Vec<&Choices> = ways.iter().map(|(_, choices)| choices).collect();
            let race = fastest(device, subject, &choices, |needed| begin.elapsed() + needed < self.budget)?;
            let words = |(way, problem): (usize, String)| format!("{} refused on {name}: {problem}", ways[way].0);
            refused.extend(race.refused.into_iter().map(words));
            left += ways.len() - race.tried;
            best = race.best;
        }
        let choices = self.resolve(device, &ways[best].1)?;
        changed += whole.iter().filter(|site| choices.kernels.get(&site.name) != Some(&site.label(0))).count();
        kernels.extend(choices.kernels.clone());
        let plan = ways[best].0.clone();
        Ok(Report { choices, kernels, plan, measured, changed, left, refused, time: begin.elapsed() })
    }

    /// Whole plans to be compared, each with its name: the paths with these kernels; and for operations
    /// that cannot be measured alone, the paths that have them with every other kernel for them.
    fn ways(
        &self,
        device: &dyn Device,
        kernels: &BTreeMap<String, String>,
        whole: &[Site],
    ) -> Result<Vec<(String, Choices)>> {
        let mut ways = Vec::new();
        for path in &self.paths {
            let choices = Choices { fusions: path.fusions.clone(), kernels: kernels.clone(), mixed: self.mixed };
            ways.push((format!("plan '{}'", path.name), choices));
        }
        let Some(subject) = self.subjects.first() else { return Ok(ways) };
        for (number, path) in self.paths.iter().enumerate() {
            let of_path = sites(subject.graph, &path.fusions, self.mixed, device.profile())?;
            for site in whole.iter().filter(|site| of_path.iter().any(|other| other.name == site.name)) {
                for candidate in 1..site.candidates.len() {
                    let (name, mut choices) = ways[number].clone();
                    choices.kernels.insert(site.name.clone(), site.label(candidate));
                    ways.push((format!("{name} with {}", site.label(candidate)), choices));
                }
            }
        }
        Ok(ways)
    }

    /// Choices with a kernel for every site of the subjects, and no others.
    ///
    /// # Errors
    /// Never for well-formed graphs.
    pub fn resolve(&self, device: &dyn Device, choices: &Choices) -> Result<Choices> {
        let mut resolved = Choices { kernels: BTreeMap::new(), ..choices.clone() };
        for subject in &self.subjects {
            let (all, _) = choices.resolved(subject.graph, device.profile())?;
            for site in sites(subject.graph, &choices.fusions, choices.mixed, device.profile())? {
                resolved.kernels.extend(all.kernels.get_key_value(&site.name).map(|(k, v)| (k.clone(), v.clone())));
            }
        }
        Ok(resolved)
    }
}

/// A device under measurement.
struct DeviceBench<'a> {
    device: &'a mut dyn Device,
    sites: &'a [Site],
    begin: Instant,
    prover: Prover,
    /// The last site timed, on its inputs.
    timed: Option<(usize, Case)>,
}

impl Bench for DeviceBench<'_> {
    fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    fn lanes(&self) -> usize {
        crate::threads::current_num_threads()
    }

    fn prepare(&mut self, site: usize, candidates: Range<usize>) {
        let site = &self.sites[site];
        let inputs: Vec<&Ty> = site.inputs.iter().collect();
        let outputs: Vec<&Ty> = site.outputs.iter().collect();
        let launches = candidates.filter_map(|candidate| {
            let (kernel, variant) = site.candidates[candidate];
            let applied = Applied { op: site.op.as_ref(), inputs: &inputs, outputs: &outputs };
            kernel.launch(&applied.asked_of(kernel, variant).ok()?).ok()
        });
        let dispatches: Vec<Dispatch> = launches.flat_map(|launch| launch.dispatches).collect();
        let shaders: BTreeSet<&ShaderKey> = dispatches.iter().map(|dispatch| &dispatch.shader).collect();
        // What is wrong with one of them shows again when it is loaded.
        let _ = self.device.prepare(&shaders);
    }

    fn time(&mut self, number: usize, candidate: usize) -> Result<Duration, String> {
        let site = &self.sites[number];
        let (kernel, variant) = site.candidates[candidate];
        let same = self.timed.take().filter(|(timed, _)| *timed == number).map(|(_, case)| case);
        let case = same.or_else(|| self.prover.timing_case(site)).ok_or("there is no data to time it on")?;
        let (_, case) = self.timed.insert((number, case.computed_by(kernel.stem(), variant)));
        let timed = load(self.device, case).and_then(|loaded| time_case(self.device, &loaded, TIMING));
        timed.map_err(|error| error.to_string())
    }

    fn prove(&mut self, site: usize, candidate: usize) -> Result<(), String> {
        let site = &self.sites[site];
        match self.prover.problem(self.device, site, candidate) {
            Ok(None) => Ok(()),
            Ok(Some(problem)) => Err(problem),
            Err(error) => Err(error.to_string()),
        }
    }
}
