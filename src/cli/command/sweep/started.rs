//! A study whose runs are trained by all processes that a launcher of MPI has started: the first hands runs out, to itself as well,
//! and gathers what comes of them.

use gpu_ae::Result;
use gpu_ae::study::study_dir::{Study, StudyDir};
use gpu_ae::study::sweep::Outcome;

use crate::cli::flags::DeviceFlag;
use crate::cli::interrupt::Signals;
#[cfg(not(feature = "mpi"))]
use crate::cli::launch::processes::refuse_launched;

#[cfg(feature = "mpi")]
pub(super) use with_mpi::Started;

/// This process among those that were started; without MPI there is none.
#[cfg(not(feature = "mpi"))]
pub(super) enum Started {}

#[cfg(not(feature = "mpi"))]
impl Started {
    pub fn find() -> Result<Option<Self>> {
        refuse_launched().map(|()| None)
    }

    pub fn leads(&self) -> bool {
        match *self {}
    }

    pub fn device(&self, _flag: &DeviceFlag) -> DeviceFlag {
        match *self {}
    }

    pub fn work(self, _flag: &DeviceFlag, _signals: Signals) -> Result<()> {
        match self {}
    }

    pub fn hand_out(self, _: &StudyDir, _: &Study, _: Signals, _quiet: bool) -> Result<Vec<Outcome>> {
        match self {}
    }
}

#[cfg(feature = "mpi")]
mod with_mpi {
    use std::collections::VecDeque;
    use std::path::PathBuf;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;
    use std::time::Duration;

    use gpu_ae::Error;
    use gpu_ae::study::study_dir::Planned;
    use gpu_ae::train::group::{Group, mpi::Processes};
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::cli::command::sweep::training::{Trainer, line};
    use crate::cli::launch::processes::launched;
    use crate::cli::output::tell;
    use crate::cli::progress::StudyBar;

    /// So often is looked for what others ask.
    const LOOKED: Duration = Duration::from_millis(2);

    /// What a process says when it has nothing to do: what came of its last run, or why there is no outcome.
    #[derive(Serialize, Deserialize)]
    struct Asking {
        outcome: Option<Outcome>,
        error: Option<String>,
    }

    /// This process among those that were started.
    pub(in crate::cli::command::sweep) struct Started {
        processes: Processes,
        /// Whether the others wait to be told where the study is.
        is_awaited: bool,
    }

    impl Drop for Started {
        /// Lets those go that wait for a study of which nothing came.
        fn drop(&mut self) {
            if self.is_awaited && self.leads() {
                // There is nobody left to tell if this fails.
                let _ = self.processes.broadcast(&mut Vec::new());
            }
        }
    }

    impl Started {
        /// If there are several.
        pub fn find() -> Result<Option<Self>> {
            if launched().is_none() {
                return Ok(None);
            }
            let processes = Processes::join(false)?;
            Ok(processes.member().has_others().then(|| Started { processes, is_awaited: true }))
        }

        /// Whether it is the one that hands out.
        pub fn leads(&self) -> bool {
            self.processes.member().rank == 0
        }

        /// What is named for it, of several devices.
        pub fn device(&self, flag: &DeviceFlag) -> DeviceFlag {
            DeviceFlag { device: flag.of_process(self.processes.local()[0]) }
        }

        /// Trains what it is given, until there is no more.
        pub fn work(mut self, flag: &DeviceFlag, signals: Signals) -> Result<()> {
            let mut path = Vec::new();
            self.processes.broadcast(&mut path)?;
            if path.is_empty() {
                return Ok(());
            }
            let directory = StudyDir(PathBuf::from(String::from_utf8_lossy(&path).into_owned()));
            let mut asking = Asking { outcome: None, error: None };
            let [local, _] = self.processes.local();
            let begun = directory.read().map(|mut study| {
                study.base.device = self.device(flag).device.unwrap_or(study.base.device);
                study
            });
            let study = begun.map_err(|error| asking.error = Some(error.to_string())).ok();
            let runs = study.as_ref().map_or_else(Vec::new, Study::runs);
            let interrupt = signals.interrupt();
            let mut trainer =
                study.as_ref().map(|study| Trainer::new(&directory, study, interrupt.clone(), local, true));
            while let Some(run) = self.ask(&asking)?.and_then(|number| runs.get(number)) {
                let Some(trainer) = &mut trainer else { break };
                let trained = trainer.train(run, &mut |_, _, _| ());
                let error = trained.as_ref().err().map(Error::to_string);
                asking = Asking { outcome: trained.ok(), error };
            }
            Ok(())
        }

        /// The number of the run to train next.
        fn ask(&mut self, asking: &Asking) -> Result<Option<usize>> {
            self.processes.send(0, &written(asking)?)?;
            read(&self.processes.receive(0)?)
        }

        /// Has all processes train what is left of a study.
        pub fn hand_out(
            mut self,
            directory: &StudyDir,
            study: &Study,
            signals: Signals,
            quiet: bool,
        ) -> Result<Vec<Outcome>> {
            self.is_awaited = false;
            self.processes.broadcast(&mut directory.0.display().to_string().into_bytes())?;
            let runs = study.runs();
            let outcomes = directory.outcomes()?;
            let left = (0..runs.len()).filter(|&number| !outcomes.iter().any(|outcome| runs[number].is(outcome)));
            let left: VecDeque<usize> = left.collect();
            let bar = StudyBar::new(runs.len(), left.len(), quiet);
            let mut gathered = Gathered { directory, runs: &runs, outcomes, left, error: None, bar, quiet };
            let (give, given) = channel();
            let (done, results) = channel();
            let interrupt = signals.interrupt();
            thread::scope(|scope| {
                let runs = &runs;
                scope.spawn(move || {
                    train_given(Trainer::new(directory, study, interrupt, 0, true), runs, &given, &done)
                });
                self.serve(&mut gathered, give, &results).inspect_err(|_| self.processes.leave())
            })?;
            match gathered.error {
                Some(error) => Err(error),
                None => Ok(gathered.outcomes),
            }
        }

        /// Gives runs to this process's own trainer and to the others, until all have been told that there are no more.
        fn serve(
            &mut self,
            gathered: &mut Gathered<'_>,
            give: Sender<usize>,
            results: &Receiver<Result<Outcome>>,
        ) -> Result<()> {
            let mut give = gathered.next().and_then(|first| give.send(first).ok().map(|()| give));
            let mut others = self.processes.member().size - 1;
            while give.is_some() || others > 0 {
                if let Ok(result) = results.try_recv() {
                    gathered.add(result)?;
                    give = give.and_then(|give| gathered.next().and_then(|next| give.send(next).ok().map(|()| give)));
                }
                while let Some(rank) = self.processes.waiting() {
                    let asking: Asking = read(&self.processes.receive(rank)?)?;
                    if let Some(error) = asking.error {
                        gathered.add(Err(Error::Failed(format!("process {rank}: {error}"))))?;
                    } else if let Some(outcome) = asking.outcome {
                        gathered.add(Ok(outcome))?;
                    }
                    let next = gathered.next();
                    others -= usize::from(next.is_none());
                    self.processes.send(rank, &written(&next)?)?;
                }
                thread::sleep(LOOKED);
            }
            Ok(())
        }
    }

    /// Trains what is given, until there is no more.
    fn train_given(
        mut trainer: Trainer<'_>,
        runs: &[Planned],
        given: &Receiver<usize>,
        done: &Sender<Result<Outcome>>,
    ) {
        while let Ok(number) = given.recv() {
            if done.send(trainer.train(&runs[number], &mut |_, _, _| ())).is_err() {
                return;
            }
        }
    }

    /// What has come of runs so far.
    struct Gathered<'a> {
        directory: &'a StudyDir,
        runs: &'a [Planned],
        outcomes: Vec<Outcome>,
        left: VecDeque<usize>,
        /// Why nothing more is handed out.
        error: Option<Error>,
        bar: StudyBar,
        quiet: bool,
    }

    impl Gathered<'_> {
        fn next(&mut self) -> Option<usize> {
            if self.error.is_some() { None } else { self.left.pop_front() }
        }

        /// Keeps an outcome in the order of the study; after an error what the others are at is still waited for.
        fn add(&mut self, result: Result<Outcome>) -> Result<()> {
            let outcome = match result {
                Ok(outcome) => outcome,
                Err(error) => {
                    // An interruption says how to go on.
                    if self.error.is_none() || matches!(error, Error::Interrupted { .. }) {
                        self.error = Some(error);
                    }
                    return Ok(());
                }
            };
            self.bar.run_ended();
            if !self.quiet {
                let (done, all, line) = (self.outcomes.len() + 1, self.runs.len(), line(&outcome));
                self.bar.suspend(|| tell(&format!("{done}/{all}  {line}")));
            }
            self.outcomes.push(outcome);
            let place = |outcome: &Outcome| self.runs.iter().position(|run| run.is(outcome));
            self.outcomes.sort_by_key(place);
            self.directory.write_outcomes(&self.outcomes)
        }
    }

    fn written(value: &impl Serialize) -> Result<Vec<u8>> {
        serde_json::to_vec(value).map_err(|error| Error::Failed(format!("a message cannot be written: {error}")))
    }

    fn read<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes).map_err(|error| Error::Failed(format!("a message is none: {error}")))
    }
}
