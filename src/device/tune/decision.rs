//! The decision among candidates: the fastest that agrees with its twin, as far as the time allows.

use std::ops::Range;
use std::time::Duration;

/// What deciding takes. Times and proofs come from a device, or from a test.
pub(in crate::device) trait Bench {
    /// Time used up so far.
    fn elapsed(&self) -> Duration;

    /// Candidates that are compiled side by side.
    fn lanes(&self) -> usize;

    /// Compiles some candidates of a site.
    fn prepare(&mut self, site: usize, candidates: Range<usize>);

    /// Time of one run of a candidate, or why it cannot run.
    fn time(&mut self, site: usize, candidate: usize) -> Result<Duration, String>;

    /// Proves a candidate, or says what is wrong with it.
    fn prove(&mut self, site: usize, candidate: usize) -> Result<(), String>;
}

/// What came out for one site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::device) struct Verdict {
    /// The candidate to use; none when the time was up first, or when all are refused.
    pub winner: Option<usize>,
    /// Candidates that may not be used, and why.
    pub refused: Vec<(usize, String)>,
}

/// How much faster than the first candidate another must be, so that noise changes nothing.
const GAIN: f64 = 0.95;

/// The time, and how long the longest piece of work so far took: no piece is begun that would not end
/// in time if it took as long.
struct Time {
    budget: Duration,
    longest: Duration,
}

impl Time {
    /// Does a piece of work if there is time for it.
    fn spend<T>(&mut self, bench: &mut dyn Bench, work: impl FnOnce(&mut dyn Bench) -> T) -> Option<T> {
        let begin = bench.elapsed();
        if begin + self.longest > self.budget {
            return None;
        }
        let done = work(bench);
        self.longest = self.longest.max(bench.elapsed().saturating_sub(begin));
        Some(done)
    }
}

/// Decides site after site, given the number of each one's candidates; the first candidate is the
/// static choice. A site that was not finished in time has neither winner nor verdicts.
pub(in crate::device) fn decide(bench: &mut dyn Bench, sites: &[usize], budget: Duration) -> Vec<Verdict> {
    let mut time = Time { budget, longest: Duration::ZERO };
    let mut verdicts = vec![Verdict::default(); sites.len()];
    for (site, &candidates) in sites.iter().enumerate() {
        let Some(verdict) = decide_one(bench, &mut time, site, candidates) else { break };
        verdicts[site] = verdict;
    }
    verdicts
}

fn decide_one(bench: &mut dyn Bench, time: &mut Time, site: usize, candidates: usize) -> Option<Verdict> {
    let mut verdict = Verdict::default();
    let mut order: Vec<(f64, usize)> = Vec::new();
    let lanes = bench.lanes().max(1);
    for start in (0..candidates).step_by(lanes) {
        let some = start..(start + lanes).min(candidates);
        let times = time.spend(bench, |bench| {
            bench.prepare(site, some.clone());
            some.map(|candidate| (candidate, bench.time(site, candidate))).collect::<Vec<_>>()
        })?;
        for (candidate, time) in times {
            match time {
                Ok(time) if candidate == 0 => order.push((time.as_secs_f64() * GAIN, candidate)),
                Ok(time) => order.push((time.as_secs_f64(), candidate)),
                Err(problem) => verdict.refused.push((candidate, problem)),
            }
        }
    }
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, candidate) in order {
        match time.spend(bench, |bench| bench.prove(site, candidate))? {
            Ok(()) => {
                verdict.winner = Some(candidate);
                break;
            }
            Err(problem) => verdict.refused.push((candidate, problem)),
        }
    }
    Some(verdict)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Candidates with made-up times; every piece of work takes a millisecond of a made-up clock.
    struct Fake {
        /// Microseconds by site and candidate; none for one that cannot run.
        times: Vec<Vec<Option<u64>>>,
        wrong: Vec<(usize, usize)>,
        clock: Duration,
        proved: Vec<(usize, usize)>,
        prepared: Vec<(usize, Range<usize>)>,
    }

    impl Bench for Fake {
        fn elapsed(&self) -> Duration {
            self.clock
        }

        fn lanes(&self) -> usize {
            2
        }

        fn prepare(&mut self, site: usize, candidates: Range<usize>) {
            self.prepared.push((site, candidates));
        }

        fn time(&mut self, site: usize, candidate: usize) -> Result<Duration, String> {
            self.clock += Duration::from_millis(1);
            self.times[site][candidate].map(Duration::from_micros).ok_or("does not compile".into())
        }

        fn prove(&mut self, site: usize, candidate: usize) -> Result<(), String> {
            self.clock += Duration::from_millis(1);
            self.proved.push((site, candidate));
            if self.wrong.contains(&(site, candidate)) { Err("off by one".into()) } else { Ok(()) }
        }
    }

    fn fake(times: &[&[Option<u64>]], wrong: &[(usize, usize)]) -> Fake {
        Fake {
            times: times.iter().map(|times| times.to_vec()).collect(),
            wrong: wrong.to_vec(),
            clock: Duration::ZERO,
            proved: Vec::new(),
            prepared: Vec::new(),
        }
    }

    fn run(fake: &mut Fake, milliseconds: u64) -> Vec<Verdict> {
        let counts: Vec<usize> = fake.times.iter().map(Vec::len).collect();
        decide(fake, &counts, Duration::from_millis(milliseconds))
    }

    #[test]
    fn the_fastest_that_is_right_wins() {
        let mut bench = fake(&[&[Some(90), Some(50), Some(70)]], &[]);
        assert_eq!(run(&mut bench, 1000)[0], Verdict { winner: Some(1), refused: vec![] });
        assert_eq!(bench.proved, [(0, 1)], "slower ones need no proof");
        assert_eq!(bench.prepared, [(0, 0..2), (0, 2..3)], "two at a time");
    }

    #[test]
    fn a_wrong_candidate_is_refused_however_fast() {
        let mut bench = fake(&[&[Some(90), Some(10), Some(70)]], &[(0, 1)]);
        assert_eq!(run(&mut bench, 1000)[0], Verdict { winner: Some(2), refused: vec![(1, "off by one".into())] });
    }

    #[test]
    fn a_wrong_static_choice_is_refused_too() {
        let mut bench = fake(&[&[Some(10), Some(90)]], &[(0, 0)]);
        assert_eq!(run(&mut bench, 1000)[0], Verdict { winner: Some(1), refused: vec![(0, "off by one".into())] });
    }

    #[test]
    fn nothing_wins_where_all_are_wrong() {
        let mut bench = fake(&[&[Some(10), Some(90)]], &[(0, 0), (0, 1)]);
        let verdict = &run(&mut bench, 1000)[0];
        assert_eq!((verdict.winner, verdict.refused.len()), (None, 2));
    }

    #[test]
    fn what_cannot_run_is_refused() {
        let mut bench = fake(&[&[None, Some(90)]], &[]);
        let expected = Verdict { winner: Some(1), refused: vec![(0, "does not compile".into())] };
        assert_eq!(run(&mut bench, 1000)[0], expected);
    }

    #[test]
    fn the_static_choice_gives_way_to_a_clear_gain_only() {
        assert_eq!(run(&mut fake(&[&[Some(100), Some(97)]], &[]), 1000)[0].winner, Some(0));
        assert_eq!(run(&mut fake(&[&[Some(100), Some(94)]], &[]), 1000)[0].winner, Some(1));
    }

    #[test]
    fn the_budget_is_kept_and_the_rest_is_left_alone() {
        let sites: Vec<&[Option<u64>]> = vec![&[Some(90), Some(50)]; 10];
        for budget in 0..40 {
            let mut bench = fake(&sites, &[]);
            let verdicts = run(&mut bench, budget);
            assert!(bench.clock <= Duration::from_millis(budget.max(2)), "{budget} ms: took {:?}", bench.clock);
            let decided = verdicts.iter().take_while(|verdict| verdict.winner == Some(1)).count();
            assert!(verdicts[decided..].iter().all(|verdict| *verdict == Verdict::default()));
            // Two milliseconds to measure a site, one to prove it, as long as two more would fit.
            assert_eq!(decided as u64, (budget.saturating_sub(1) / 3).min(10), "{budget} ms");
        }
    }
}
