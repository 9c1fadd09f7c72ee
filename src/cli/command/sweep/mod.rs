//! `gpu-ae sweep`

mod page;
mod rate_distortion;
mod shard;
mod started;
mod training;

use std::path::{Path, PathBuf};

use gpu_ae::claim::Claim;
use gpu_ae::config::RunConfig;
use gpu_ae::data::options::OfRun;
use gpu_ae::report::{Mark, Marked, marked_plot, write_png};
use gpu_ae::study::study_dir::{Shard, Study, StudyDir};
use gpu_ae::study::sweep::{Grid, Spread, Summary, settings, summaries};
use gpu_ae::{Error, Result};

use crate::cli::data_flags::same_path;
use crate::cli::flags::{ConfigFlags, DeviceFlag, check_idle, whole};
use crate::cli::interrupt::Signals;
use crate::cli::output::{say, say_json, tell};
use started::Started;
use training::train;

#[derive(clap::Args)]
#[command(
    after_help = "A grid is KEY=VALUE,VALUE,… for every key, all combinations of which are trained. Keys are those of \
config.toml, such as entropy.alpha, or short: alpha, lambda, budget, warm_up, activity, entropy, width (of the code \
layer). A study has at most 10,000 runs, points times seeds. Of networks \
that code pictures it also leaves rate_distortion.png and .csv: bits a pixel against quality, beside JPEG and WebP.

Example:
  gpu-ae sweep --data mnist --grid 'alpha=0.5,1,2 lambda=0.01,0.1' --recipe report --seeds 3
  gpu-ae sweep --data flowers.csv --recipe plain --grid 'width=1,2,3'
  gpu-ae sweep --model codec --grid 'rate.beta=0.1,0.3,1,3' --seeds 1"
)]
pub struct Args {
    /// What to try, such as 'alpha=0.5,1,2 lambda=0.01,0.1'
    #[arg(long, value_name = "GRID", default_value = "")]
    grid: String,
    /// Seeds for each point of the grid, counted up from --seed
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = whole(1..=u32::MAX), allow_negative_numbers = true)]
    seeds: u32,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    device: DeviceFlag,
    /// Folder of the study to make; must not exist or be empty [default: runs/sweep]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with this study, with its own grid and settings
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "grid", "seeds"])]
    resume: Option<PathBuf>,
    /// Train only every N-th run, from the I-th on, for N such processes side by side, each with an I of its own and the same --out
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Make one study of the shards that have been trained in this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "grid", "seeds", "resume", "shard"])]
    merge: Option<PathBuf>,
    /// Another study to show beside this one in table and plot
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
    /// Print the outcome of every run as one JSON array, and nothing else
    #[arg(long)]
    json: bool,
}

pub fn run(mut args: Args) -> Result<()> {
    let signals = Signals::listen()?;
    let quiet = args.quiet || args.json;
    let other = args.against.as_ref().map(|path| StudyDir(path.clone()).outcomes()).transpose()?;
    if let (Some(path), Some(true)) = (&args.against, other.as_ref().map(Vec::is_empty)) {
        return Err(Error::input(path, "expected a study with a sweep.csv in it"));
    }
    let started = match Started::find()? {
        Some(started) if !started.leads() => return started.work(&args.device, signals),
        started => started,
    };
    if let Some(started) = &started {
        if args.shard.is_some() {
            let problem = "is for processes that know nothing of one another; those that mpirun starts share a study by themselves";
            return Err(Error::Usage(format!("--shard: {problem}")));
        }
        args.device = started.device(&args.device);
    }
    let (directory, _claim, study) = match (&args.merge, args.shard) {
        (Some(path), _) => shard::open_merged(path)?,
        (None, Some(shard)) => shard::open(&args, shard)?,
        (None, None) => open(&args)?,
    };
    let outcomes = match (&args.merge, args.shard) {
        (Some(_), _) => shard::merged(&directory, &study)?,
        (None, Some(shard)) => {
            let kept = directory.shard(shard);
            let trained = train(&directory, &kept, &study, |run| shard.has(run), signals, quiet);
            let outcomes = trained.map_err(|error| match error {
                // Without its number, resuming would train what is the other shards' as well.
                Error::Interrupted { signal, done, advice } => {
                    Error::Interrupted { signal, done, advice: format!("{advice} --shard {shard}") }
                }
                other => other,
            })?;
            return shard::tell(&directory, shard, &outcomes, [quiet, args.json]);
        }
        (None, None) => match started {
            Some(started) => started.hand_out(&directory, &study, signals, quiet)?,
            None => train(&directory, &directory, &study, |_| true, signals, quiet)?,
        },
    };
    let codes_pictures = rate_distortion::draw(&directory, &outcomes, &args.device)?;
    if args.json {
        return say_json(&outcomes);
    }
    let mut groups = vec![(title(&study.base), summaries(&outcomes))];
    for (path, other) in args.against.iter().zip(other) {
        // By what it is, unless that is the same.
        let name = title(&StudyDir(path.clone()).read()?.base);
        let name = if name == groups[0].0 { path.display().to_string() } else { name };
        groups.push((name, summaries(&other)));
    }
    let cells = cells(&groups);
    let has_plot = draw(&directory, &groups)?;
    let plots = [(directory.plot(), has_plot), (directory.rate_distortion_plot(), codes_pictures)];
    let plots: Vec<&Path> = plots.iter().filter(|(_, is_there)| *is_there).map(|(path, _)| path.as_path()).collect();
    page::write(&directory, &groups[0].0, &outcomes, &cells, &plots)?;
    if quiet {
        return Ok(());
    }
    let heads: Vec<&str> = cells[0].iter().map(String::as_str).collect();
    say(&crate::cli::terminal::table(&heads, &cells[1..]));
    let (table, plot) = (directory.table(), directory.plot());
    match has_plot {
        true => tell(&format!("table and plot: {}, {}", table.display(), plot.display())),
        false => tell(&format!("table: {}", table.display())),
    }
    if codes_pictures {
        let (table, plot) = (directory.rate_distortion_table(), directory.rate_distortion_plot());
        tell(&format!("bits and quality of pictures: {}, {}", table.display(), plot.display()));
    }
    tell(&format!("all of it: {}", directory.page().display()));
    Ok(())
}

fn title(config: &RunConfig) -> String {
    format!("{} on {}", config.recipe, config.data.short_name())
}

/// The study asked for, which no other process may work on, its file written if it is new. All its points are checked
/// before anything runs.
fn open(args: &Args) -> Result<(StudyDir, Claim, Study)> {
    if let Some(path) = &args.resume {
        let study = gone_on_with(args, path)?;
        return Ok((StudyDir(path.clone()), Claim::existing(path)?, study));
    }
    let study = asked(args)?;
    let path = folder(args);
    let claim = Claim::new_folder(&path)?;
    let directory = StudyDir(path);
    directory.write(&study)?;
    claim.keep();
    Ok((directory, claim, study))
}

/// The folder of a new study.
fn folder(args: &Args) -> PathBuf {
    args.out.clone().unwrap_or_else(|| PathBuf::from("runs").join("sweep"))
}

/// The study in this folder, which is gone on with.
fn gone_on_with(args: &Args, path: &Path) -> Result<Study> {
    let directory = StudyDir(path.to_path_buf());
    let mut study = directory.read()?;
    study
        .grid
        .check(study.base.seed, study.seeds)
        .map_err(|error| Error::input(directory.study(), error.to_string()))?;
    study.base.data.of_run = Some(OfRun { name: path.display().to_string(), anew: Vec::new() });
    args.config.check_resume(&study.base)?;
    if let Some(what) = args.config.changes().into_iter().next() {
        return Err(Error::Usage(format!("{what}: cannot change on --resume, a study keeps its settings")));
    }
    if let Some(path) = &args.config.data.data {
        // The same rows elsewhere, as each run sees that was begun.
        study.base.data.path = same_path(path);
    }
    if let Some(device) = &args.device.device {
        study.base.device.clone_from(device);
    }
    Ok(study)
}

/// The study that flags ask for.
fn asked(args: &Args) -> Result<Study> {
    let base = args.config.clone().resolve_unsettled(&args.device)?.with_data_folder()?;
    args.config.data.check_used(&base.data)?;
    let study = Study { grid: Grid::parse(&args.grid)?, seeds: args.seeds, base };
    study.grid.check(study.base.seed, study.seeds)?;
    let of_point = |point| settings(&study.base, &point, study.base.seed);
    let configs = study.grid.points().into_iter().map(of_point).collect::<Result<Vec<RunConfig>>>()?;
    check_used(&args.config, &study.grid, &configs)?;
    Ok(study)
}

/// Refuses what changes nothing of any point, and a grid over it.
fn check_used(flags: &ConfigFlags, grid: &Grid, configs: &[RunConfig]) -> Result<()> {
    if configs.iter().any(|config| config.hopfield.is_some()) {
        let problem = "a Hopfield network is not trained, so there is nothing to sweep";
        return Err(Error::Usage(format!("--model hopfield: {problem}")));
    }
    flags.check_used(configs)?;
    let mut keys = grid.keys();
    keys.try_for_each(|key| check_idle(&format!("--grid {key}"), key, configs))
}

fn spread(spread: Option<Spread>, decimals: usize) -> String {
    spread.map_or("-".into(), |Spread { mean, sd }| format!("{mean:.decimals$} ± {sd:.decimals$}"))
}

/// The table, its first row the heads.
fn cells(groups: &[(String, Vec<Summary>)]) -> Vec<Vec<String>> {
    let row = |group: &str, s: &Summary| {
        vec![
            group.to_string(),
            s.point.clone(),
            s.runs.to_string(),
            spread(s.test_mse, 4),
            spread(s.effective_width, 1),
            spread(s.active_units, 1),
            format!("{} of {}", s.collapsed, s.runs),
            format!("{} of {}", s.undertrained, s.runs),
        ]
    };
    let headers =
        ["study", "point", "runs", "test mse", "effective width", "active units", "collapsed", "undertrained"];
    let rows = groups.iter().flat_map(|(group, summaries)| summaries.iter().map(move |s| row(group, s)));
    [headers.map(String::from).to_vec()].into_iter().chain(rows).collect()
}

/// The frontier: test error over the number of active code neurons, means with bars of one standard deviation over seeds, a
/// curve a study. Says whether there was anything to draw.
fn draw(directory: &StudyDir, groups: &[(String, Vec<Summary>)]) -> Result<bool> {
    let groups: Vec<Marked> = groups
        .iter()
        .map(|(name, summaries)| {
            let mark = |s: &Summary| {
                let (active, mse) = (s.active_units?, s.test_mse?);
                Some(Mark { name: s.point.clone(), at: (active.mean, mse.mean), deviation: (active.sd, mse.sd) })
            };
            let mut marks: Vec<Mark> = summaries.iter().filter_map(mark).collect();
            marks.sort_by(|a, b| a.at.0.total_cmp(&b.at.0));
            Marked { name: name.clone(), marks }
        })
        .collect();
    if groups.iter().all(|group| group.marks.is_empty()) {
        return Ok(false);
    }
    let title = "Width against error: means over seeds, bars of one standard deviation";
    let picture = marked_plot(title, "active code neurons", "test mse", &groups)?;
    write_png(&directory.plot(), &picture).map(|()| true)
}
